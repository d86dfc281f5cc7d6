"""`hessbench epoch-cost`: time of a training epoch against the amount of data."""

import os
import time
from pathlib import Path

import click
import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from hessbench.config.base import load_section
from hessbench.config.options import results_option
from hessbench.data.layout import ReactionFile
from hessbench.data.locations import SPLIT, active_file
from hessbench.data.split import read_split
from hessbench.data.structures import load_structures
from hessbench.errors import ConfigurationError
from hessbench.experiments.epoch_cost.run.settings import EpochCostConfig
from hessbench.experiments.epoch_cost.run.tables import EPOCH_COST, STAGE
from hessbench.experiments.epoch_cost.run.timing import measure
from hessbench.potential.registry import ModelConfig
from hessbench.results.store.provenance import made_here
from hessbench.results.store.tables import write_table
from hessbench.system.alone import alone_in_results
from hessbench.training.settings import TrainingConfig, labels_of


@click.command()
@results_option
@alone_in_results("epoch-cost")
def command(results: Path) -> None:
    """Time training epochs of every loss, one thread, on a machine that should be idle otherwise.

    Writes results/epoch_cost.parquet; the load of the machine at the start is recorded with it.
    """
    begin = time.perf_counter()
    torch.set_num_threads(1)
    load = os.getloadavg()[0]
    config = load_section(EpochCostConfig, "epoch_cost")
    training = load_section(TrainingConfig, "training")
    model = load_section(ModelConfig, "model")
    unknown = [loss for loss in config.losses if loss not in training.losses]
    if unknown:
        raise ConfigurationError(f"params.yaml: epoch_cost.losses: {unknown[0]} is not in training.losses.")
    path = active_file("rtp")
    with ReactionFile(path) as file:
        data, level = file.identifier, file.metadata.level
    structures = load_structures(path)
    split = read_split(results / SPLIT, data)
    sections = {"epoch_cost": config, "model": model, "training": training}
    inputs = STAGE.inputs({"rtp": data}, sections, {"split": split.digest})
    too_large = [percent for percent in config.percents if percent > max(split.sizes)]
    if too_large:
        raise ConfigurationError(
            f"params.yaml: epoch_cost.percents: {too_large[0]} % is more than the training part of the split."
        )
    labels = labels_of(training.losses)
    losses = {labels[loss]: training.losses[loss] for loss in config.losses}
    total = len(losses) * len(config.percents) * 2 * config.repeats
    rows = list(
        tqdm(
            measure(
                structures,
                split.training,
                structures.select(split.validation[: training.batch_size]),
                losses,
                model,
                training,
                config.percents,
                config.repeats,
                config.loop_structures,
            ),
            total=total,
            desc="epoch cost",
            unit="epoch",
        )
    )
    table = pd.DataFrame(rows)
    provenance = made_here(
        inputs,
        level=level,
        models=1,
        seconds=time.perf_counter() - begin,
        notes={"load_average_before": load, "threads": 1, "batch_size": training.batch_size},
    )
    write_table(results, EPOCH_COST, table, provenance)
    largest = table[table["percent"] == table["percent"].max()]
    seconds = largest.pivot_table(index="loss", columns="engine", values="seconds", sort=False)
    click.echo(f"seconds per epoch at {table['percent'].max()} % of the data")
    click.echo(seconds.to_string(float_format="%.3f"))
    if "E-F" in seconds.index:
        click.echo("as ratio to E-F")
        click.echo((seconds / seconds.loc["E-F"]).to_string(float_format=lambda value: f"{value:.2f}"))
    if np.isfinite(load) and load > 0.5:
        click.echo(
            f"the load of the machine was {load:.1f} at the start: an idle one gives truer times", err=True
        )
