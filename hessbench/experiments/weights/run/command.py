"""`hessbench weights`: errors of E-F and E-F-H against the weights of force and Hessian in the loss."""

from pathlib import Path

import click

from hessbench.config.options import results_option
from hessbench.experiments.errors.variants.queue import run_queue
from hessbench.experiments.errors.variants.study import read_data
from hessbench.experiments.weights.run.part import part_of, plan
from hessbench.system.alone import alone_in_results


@click.command()
@results_option
@alone_in_results("weights")
def command(results: Path) -> None:
    """Train E-F and E-F-H with other weights on the largest share of the data, and test them.

    Writes results/weights.parquet, with the errors that `hessbench evaluate` found for the profile's own
    weights. Interrupted, it goes on from its checkpoints; what is finished is not trained again.
    """
    study, todo = plan()
    part = part_of(study, todo, read_data(results), results)
    run_queue("weights", [part], study.training.processes)
