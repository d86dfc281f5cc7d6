"""What `hessbench cost` has done, and the table that it makes of it."""

from pathlib import Path

import click
import pandas as pd

from hessbench.experiments.cost.run.settings import CostConfig
from hessbench.experiments.cost.run.tables import COST, STAGE
from hessbench.experiments.cost.run.trainings import Training, train_and_test, trainings
from hessbench.experiments.errors.variants.queue import Part
from hessbench.experiments.errors.variants.study import Study, StudyData, begin
from hessbench.results.store.tables import write_table

SETS = ("rtp",)
"""What the models are tested on: held-out stationary points alone."""


def plan() -> tuple[Study[CostConfig], list[Training]]:
    """Settings of params.yaml, and all models to train.

    Raises
    ------
    ConfigurationError
        A section is wrong, or does not go with another.
    """
    study = begin(STAGE, CostConfig)
    return study, trainings(study)


def part_of(study: Study[CostConfig], todo: list[Training], data: StudyData, results: Path) -> Part[Training]:
    """Part of the queue: `todo`, and results/cost.parquet."""
    data = data.only(*SETS)
    inputs = study.inputs(data)

    def write(tested: list[pd.DataFrame], seconds: float) -> None:
        table = pd.concat(tested, ignore_index=True)
        table = table.sort_values(["loss", "length", "seed"], kind="stable", ignore_index=True)
        write_table(results, COST, table, study.provenance(data, inputs, seconds))
        shown = table.pivot_table(index=["loss", "epochs", "cpu_seconds"], columns="quantity", values="rmse")
        click.echo("RMSE on held-out stationary points; kcal/mol, kcal/mol/Angstrom, kcal/mol/Angstrom^2")
        click.echo(shown.to_string(float_format=lambda value: f"{value:.4g}"))

    return Part(todo, train_and_test, data.share(), write)
