"""What `hessbench robustness` has done, and the tables that it makes of it."""

import shutil
from dataclasses import replace
from pathlib import Path

import click
import pandas as pd

from hessbench.experiments.errors.run.rmse import summarize
from hessbench.experiments.errors.run.tables import ERRORS
from hessbench.experiments.errors.variants.queue import Part
from hessbench.experiments.errors.variants.study import Study, StudyData, begin
from hessbench.experiments.errors.variants.trained import train_and_test
from hessbench.experiments.robustness.run.settings import RobustnessConfig
from hessbench.experiments.robustness.run.tables import ROBUSTNESS, STAGE
from hessbench.experiments.robustness.run.trainings import Training, trainings
from hessbench.results.store.provenance import made_here
from hessbench.results.store.tables import write_table


def plan() -> tuple[Study[RobustnessConfig], list[Training]]:
    """Settings of params.yaml, and all models to train.

    Raises
    ------
    ConfigurationError
        A section is wrong, or does not go with another.
    """
    study = begin(STAGE, RobustnessConfig)
    return study, trainings(study)


def part_of(
    study: Study[RobustnessConfig], todo: list[Training], data: StudyData, results: Path
) -> Part[Training]:
    """Part of the queue: `todo`, which may be nothing, results/robustness.parquet and results/robustness."""
    inputs = study.inputs(data)

    def write(tested: list[pd.DataFrame], seconds: float) -> None:
        folder = results / ROBUSTNESS.name
        shutil.rmtree(folder, ignore_errors=True)  # recipes of an earlier profile
        folder.mkdir(parents=True)
        index = pd.DataFrame(
            [(recipe.name, recipe.folder, study.config.seeds) for recipe in study.config.recipes],
            columns=list(ROBUSTNESS.columns),
        )
        provenance = study.provenance(data, inputs, seconds)
        if not todo:
            write_table(results, ROBUSTNESS, index, replace(provenance, models=None))
            click.echo("robustness.recipes of params.yaml is empty: no other recipe is tried.")
            return
        errors = pd.concat(
            [
                rows.assign(percent=data.percent, folder=item.recipe.folder, name=item.loss)
                for item, rows in zip(todo, tested, strict=True)
            ],
            ignore_index=True,
        )
        made = made_here(inputs, level=data.level, models=study.config.seeds)
        for (recipe, loss), rows in errors.groupby(["folder", "name"], sort=False):
            table = rows[list(ERRORS.columns)]
            write_table(folder / str(recipe), ERRORS, table, made, f"{loss}-{data.percent}")
        write_table(results, ROBUSTNESS, index, provenance)
        summary = summarize(errors.assign(loss=errors["folder"] + ", " + errors["loss"]))
        shown = summary.pivot_table(index=["set", "quantity"], columns="loss", values="rmse", sort=False)
        click.echo("mean RMSE by recipe and loss; kcal/mol, kcal/mol/Angstrom, kcal/mol/Angstrom^2")
        click.echo(shown.T.to_string(float_format=lambda value: f"{value:.4g}"))

    return Part(todo, train_and_test, data.share(), write)
