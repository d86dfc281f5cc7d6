"""`hessbench cost`: errors against processor time of training, by how Hessians enter the loss."""

from pathlib import Path

import click

from hessbench.config.options import results_option
from hessbench.experiments.cost.run.part import SETS, part_of, plan
from hessbench.experiments.errors.variants.queue import run_queue
from hessbench.experiments.errors.variants.study import read_data
from hessbench.system.alone import alone_in_results


@click.command()
@results_option
@alone_in_results("cost")
def command(results: Path) -> None:
    """Train E-F, E-F-H and estimates of it on the largest share of the data, and measure what they cost.

    Writes results/cost.parquet: errors on held-out stationary points beside the processor time of the
    training. Interrupted, it goes on with the models that are not finished.
    """
    study, todo = plan()
    part = part_of(study, todo, read_data(results, SETS), results)
    run_queue("cost", [part], study.training.processes)
