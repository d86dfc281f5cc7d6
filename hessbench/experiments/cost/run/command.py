"""`hessbench cost`: errors against processor time of training, by how Hessians enter the loss."""

import time
from pathlib import Path

import click

from hessbench.config.base import load_section
from hessbench.config.options import results_option
from hessbench.data.layout import ReactionFile
from hessbench.data.locations import SPLIT, active_file
from hessbench.data.split import read_split
from hessbench.data.structures import load_structures
from hessbench.experiments.cost.run.settings import CostConfig
from hessbench.experiments.cost.run.tables import COST, STAGE
from hessbench.experiments.cost.run.trainings import train_and_test, trainings
from hessbench.experiments.errors.run.ensemble import TestSet
from hessbench.experiments.errors.run.settings import EvaluationConfig
from hessbench.experiments.errors.variants.trained import largest_share
from hessbench.potential.ensembles import MODELS
from hessbench.potential.registry import ModelConfig
from hessbench.results.store.provenance import made_here
from hessbench.results.store.tables import write_table
from hessbench.system.alone import alone_in_results
from hessbench.training.settings import TrainingConfig


@click.command()
@results_option
@alone_in_results("cost")
def command(results: Path) -> None:
    """Train E-F, E-F-H and estimates of it on the largest share of the data, and measure what they cost.

    Writes results/cost.parquet: errors on held-out stationary points beside the processor time of the
    training. Interrupted, it goes on with the models that are not finished.
    """
    begin = time.perf_counter()
    config = load_section(CostConfig, "cost")
    training = load_section(TrainingConfig, "training")
    model = load_section(ModelConfig, "model")
    todo = trainings(config, model, training, MODELS / "checkpoints" / "cost")
    path = active_file("rtp")
    with ReactionFile(path) as file:
        data, level = file.identifier, file.metadata.level
    split = read_split(results / SPLIT, data)
    structures = load_structures(path)
    tested = TestSet(data, level, structures.select(split.test))
    batch_size = load_section(EvaluationConfig, "evaluation").batch_size
    share = largest_share(structures, split, {"rtp": tested}, batch_size)
    table = train_and_test(todo, share, training.processes)
    table = table.sort_values(["loss", "length", "seed"], kind="stable", ignore_index=True)
    sections = {"cost": config, "model": model, "training": training}
    provenance = made_here(
        STAGE.inputs({"rtp": data}, sections, {"split": split.digest}),
        level=level,
        models=config.seeds,
        seconds=time.perf_counter() - begin,
        notes={"percent": max(split.sizes)},
    )
    write_table(results, COST, table, provenance)
    shown = table.pivot_table(index=["loss", "epochs", "cpu_seconds"], columns="quantity", values="rmse")
    click.echo("RMSE on held-out stationary points; kcal/mol, kcal/mol/Angstrom, kcal/mol/Angstrom^2")
    click.echo(shown.to_string(float_format=lambda value: f"{value:.4g}"))
