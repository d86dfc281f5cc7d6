"""`hessbench weights`: errors of E-F and E-F-H against the weights of force and Hessian in the loss."""

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
from hessbench.experiments.errors.run.sets import active_sets
from hessbench.experiments.errors.run.settings import EvaluationConfig
from hessbench.experiments.errors.run.tables import ERRORS
from hessbench.experiments.errors.variants.trained import largest_share
from hessbench.experiments.weights.run.settings import WeightsConfig
from hessbench.experiments.weights.run.tables import OWN, STAGE, WEIGHTS
from hessbench.experiments.weights.run.variants import LOSSES, rows_of, train_and_test, variants
from hessbench.potential.ensembles import MODELS
from hessbench.potential.registry import ModelConfig
from hessbench.results.store.provenance import made_here
from hessbench.results.store.tables import read_provenance, read_table, write_table
from hessbench.system.alone import alone_in_results
from hessbench.training.settings import TrainingConfig


@click.command()
@results_option
@alone_in_results("weights")
def command(results: Path) -> None:
    """Train E-F and E-F-H with other weights on the largest share of the data, and test them.

    Writes results/weights.parquet, with the errors that `hessbench evaluate` found for the profile's own
    weights. Interrupted, it goes on from its checkpoints; what is finished is not trained again.
    """
    begin = time.perf_counter()
    config = load_section(WeightsConfig, "weights")
    training = load_section(TrainingConfig, "training")
    model = load_section(ModelConfig, "model")
    todo = variants(config, model, training, MODELS / "checkpoints" / "weights")
    path = active_file("rtp")
    with ReactionFile(path) as file:
        split = read_split(results / SPLIT, file.identifier)
    percent = max(split.sizes)
    own, made_from = [], []
    for name in LOSSES:
        part = f"{name}-{percent}"
        own.append(rows_of(read_table(results, ERRORS, part=part), OWN, training.losses[name]))
        made_from.append(read_provenance(ERRORS.path(results, part)).inputs)
    tested = active_sets(results / SPLIT, percent).tested
    sections = {"weights": config, "model": model, "training": training}
    data = {name: item.data for name, item in tested.items()}
    inputs = STAGE.inputs(data, sections, {"split": split.digest}).joined(*made_from)
    batch_size = load_section(EvaluationConfig, "evaluation").batch_size
    share = largest_share(load_structures(path), split, tested, batch_size)
    others = train_and_test(todo, share, training)
    table = pd.concat([*own, others], ignore_index=True)
    table = table.sort_values(["loss", "force_weight", "seed"], kind="stable", ignore_index=True)
    provenance = made_here(
        inputs,
        level="; ".join(sorted({item.level for item in tested.values()})),
        models=config.seeds,
        seconds=time.perf_counter() - begin,
        notes={"percent": percent},
    )
    write_table(results, WEIGHTS, table, provenance)
    columns = ["set", "quantity", "loss"]
    shown = table.pivot_table(index=columns, columns="weights", values="rmse", sort=False)
    click.echo("mean RMSE by weights of force / Hessian; kcal/mol, kcal/mol/Angstrom, kcal/mol/Angstrom^2")
    click.echo(shown.to_string(float_format=lambda value: f"{value:.4g}"))
