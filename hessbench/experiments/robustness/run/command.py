"""`hessbench robustness`: errors of E, E-F and E-F-H trained by other recipes than that of the profile."""

import shutil
import time
from pathlib import Path

import click
import pandas as pd

from hessbench.config.base import load_section
from hessbench.config.options import results_option
from hessbench.data.layout import ReactionFile
from hessbench.data.locations import SPLIT, active_file
from hessbench.data.split import read_split
from hessbench.data.structures import load_structures
from hessbench.experiments.errors.run.rmse import summarize
from hessbench.experiments.errors.run.sets import active_sets
from hessbench.experiments.errors.run.settings import EvaluationConfig
from hessbench.experiments.errors.run.tables import ERRORS
from hessbench.experiments.errors.variants.trained import largest_share
from hessbench.experiments.robustness.run.settings import RobustnessConfig
from hessbench.experiments.robustness.run.tables import ROBUSTNESS, STAGE
from hessbench.experiments.robustness.run.trainings import train_and_test, trainings
from hessbench.potential.ensembles import MODELS
from hessbench.potential.registry import ModelConfig
from hessbench.results.store.provenance import made_here
from hessbench.results.store.tables import write_table
from hessbench.system.alone import alone_in_results
from hessbench.training.settings import TrainingConfig


@click.command()
@results_option
@alone_in_results("robustness")
def command(results: Path) -> None:
    """Train E, E-F and E-F-H by the recipes of the section robustness, on the largest share of the data.

    Writes results/robustness.parquet, the list of the recipes, and the errors of each on all test sets into
    results/robustness. Interrupted, it goes on from its checkpoints; what is finished is not trained again.
    Without recipes nothing is trained.
    """
    begin = time.perf_counter()
    config = load_section(RobustnessConfig, "robustness")
    training = load_section(TrainingConfig, "training")
    model = load_section(ModelConfig, "model")
    todo = trainings(config, model, training, MODELS / "checkpoints" / "robustness")
    path = active_file("rtp")
    with ReactionFile(path) as file:
        split = read_split(results / SPLIT, file.identifier)
    percent = max(split.sizes)
    tested = active_sets(results / SPLIT, percent).tested
    sections = {"robustness": config, "model": model, "training": training}
    data = {name: item.data for name, item in tested.items()}
    inputs = STAGE.inputs(data, sections, {"split": split.digest})
    level = "; ".join(sorted({item.level for item in tested.values()}))
    folder = results / ROBUSTNESS.name
    shutil.rmtree(folder, ignore_errors=True)  # recipes of an earlier profile
    folder.mkdir(parents=True)
    if todo:
        batch_size = load_section(EvaluationConfig, "evaluation").batch_size
        share = largest_share(load_structures(path), split, tested, batch_size)
        errors = train_and_test(todo, share, training)
        for (recipe, loss), rows in errors.groupby(["folder", "name"], sort=False):
            table = rows.assign(percent=percent)[list(ERRORS.columns)]
            write_table(
                folder / str(recipe),
                ERRORS,
                table,
                made_here(inputs, level=level, models=config.seeds),
                f"{loss}-{percent}",
            )
    index = pd.DataFrame(
        [(recipe.name, recipe.folder, config.seeds) for recipe in config.recipes],
        columns=list(ROBUSTNESS.columns),
    )
    provenance = made_here(
        inputs,
        level=level,
        models=config.seeds if todo else None,
        seconds=time.perf_counter() - begin,
        notes={"percent": percent},
    )
    write_table(results, ROBUSTNESS, index, provenance)
    if not todo:
        click.echo("robustness.recipes of params.yaml is empty: no other recipe is tried.")
        return
    summary = summarize(errors.assign(percent=percent, loss=errors["folder"] + ", " + errors["loss"]))
    shown = summary.pivot_table(index=["set", "quantity"], columns="loss", values="rmse", sort=False)
    click.echo("mean RMSE by recipe and loss; kcal/mol, kcal/mol/Angstrom, kcal/mol/Angstrom^2")
    click.echo(shown.T.to_string(float_format=lambda value: f"{value:.4g}"))
