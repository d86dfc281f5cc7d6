"""`hessbench variants`: the models of `hessbench weights`, `robustness` and `cost` in one queue."""

from pathlib import Path

import click

from hessbench.config.base import load_section
from hessbench.config.options import results_option
from hessbench.experiments.cost.run import part as cost
from hessbench.experiments.errors.variants.queue import run_queue
from hessbench.experiments.errors.variants.study import read_data
from hessbench.experiments.robustness.run import part as robustness
from hessbench.experiments.weights.run import part as weights
from hessbench.system.alone import alone_in_results
from hessbench.training.settings import TrainingConfig

EXPERIMENTS = (weights, robustness, cost)


@click.command()
@results_option
@alone_in_results("weights", "robustness", "cost")
def command(results: Path) -> None:
    """Train with other weights, by other recipes, and with estimated Hessians: all models in one queue.

    Does what `hessbench weights`, `hessbench robustness` and `hessbench cost` do, and writes their results.
    Interrupted, it goes on as these do; what is finished is not trained again.
    """
    processes = load_section(TrainingConfig, "training").processes
    plans = [experiment.plan() for experiment in EXPERIMENTS]
    data = read_data(results)
    parts = [
        experiment.part_of(*plan, data, results) for experiment, plan in zip(EXPERIMENTS, plans, strict=True)
    ]
    run_queue("variants", parts, processes)
