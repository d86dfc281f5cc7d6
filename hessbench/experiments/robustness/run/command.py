"""`hessbench robustness`: errors of E, E-F and E-F-H trained by other recipes than that of the profile."""

from pathlib import Path

import click

from hessbench.config.options import results_option
from hessbench.experiments.errors.variants.queue import run_queue
from hessbench.experiments.errors.variants.study import read_data
from hessbench.experiments.robustness.run.part import part_of, plan
from hessbench.system.alone import alone_in_results


@click.command()
@results_option
@alone_in_results("robustness")
def command(results: Path) -> None:
    """Train E, E-F and E-F-H by the recipes of the section robustness, on the largest share of the data.

    Writes results/robustness.parquet, the list of the recipes, and the errors of each on all test sets into
    results/robustness. Interrupted, it goes on from its checkpoints; what is finished is not trained again.
    Without recipes nothing is trained.
    """
    study, todo = plan()
    part = part_of(study, todo, read_data(results), results)
    run_queue("robustness", [part], study.training.processes)
