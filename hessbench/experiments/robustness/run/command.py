"""`hessbench robustness`: errors of E, E-F and E-F-H trained by other recipes than that of the profile."""

import shutil
from dataclasses import replace
from pathlib import Path

import click
import pandas as pd

from hessbench.config.options import results_option
from hessbench.experiments.errors.run.rmse import summarize
from hessbench.experiments.errors.run.tables import ERRORS
from hessbench.experiments.errors.variants.study import begin
from hessbench.experiments.errors.variants.trained import train_and_test
from hessbench.experiments.robustness.run.settings import RobustnessConfig
from hessbench.experiments.robustness.run.tables import ROBUSTNESS, STAGE
from hessbench.experiments.robustness.run.trainings import trainings
from hessbench.results.store.provenance import made_here
from hessbench.results.store.tables import write_table
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
    study = begin(STAGE, RobustnessConfig)
    todo = trainings(study)
    data = study.data(results)
    folder = results / ROBUSTNESS.name
    shutil.rmtree(folder, ignore_errors=True)  # recipes of an earlier profile
    folder.mkdir(parents=True)
    if todo:
        models = [(item.variant, item.checkpoint) for item in todo]
        tested = train_and_test(models, data.share(), study.training.processes, "robustness")
        errors = pd.concat(
            [
                rows.assign(percent=data.percent, folder=item.recipe.folder, name=item.loss)
                for item, rows in zip(todo, tested, strict=True)
            ],
            ignore_index=True,
        )
        made = made_here(data.inputs, level=data.level, models=study.config.seeds)
        for (recipe, loss), rows in errors.groupby(["folder", "name"], sort=False):
            table = rows[list(ERRORS.columns)]
            write_table(folder / str(recipe), ERRORS, table, made, f"{loss}-{data.percent}")
    index = pd.DataFrame(
        [(recipe.name, recipe.folder, study.config.seeds) for recipe in study.config.recipes],
        columns=list(ROBUSTNESS.columns),
    )
    provenance = study.provenance(data)
    write_table(results, ROBUSTNESS, index, provenance if todo else replace(provenance, models=None))
    if not todo:
        click.echo("robustness.recipes of params.yaml is empty: no other recipe is tried.")
        return
    summary = summarize(errors.assign(loss=errors["folder"] + ", " + errors["loss"]))
    shown = summary.pivot_table(index=["set", "quantity"], columns="loss", values="rmse", sort=False)
    click.echo("mean RMSE by recipe and loss; kcal/mol, kcal/mol/Angstrom, kcal/mol/Angstrom^2")
    click.echo(shown.T.to_string(float_format=lambda value: f"{value:.4g}"))
