"""`hessbench train`: train an ensemble."""

from pathlib import Path

import click

from hessbench.config.base import load_section
from hessbench.config.loss_option import LossChoice
from hessbench.data.layout import ReactionFile
from hessbench.data.locations import active_file
from hessbench.data.split import read_split
from hessbench.data.structures import load_structures
from hessbench.potential.ensembles import trained_seeds
from hessbench.potential.registry import ModelConfig
from hessbench.training.ensemble import train_ensemble
from hessbench.training.settings import TrainingConfig


@click.command()
@click.option(
    "--loss", type=LossChoice(), required=True, help="Name of a loss of params.yaml (training.losses)."
)
@click.option("--percent", required=True, type=int, help="Training set size, in percent of all structures.")
@click.option(
    "--split",
    "split_file",
    type=click.Path(path_type=Path),
    default=Path("results/split.json"),
    show_default=True,
    help="What `hessbench split` wrote.",
)
def command(loss: str, percent: int, split_file: Path) -> None:
    """Train the ensemble of one loss on one share of the active data: models/LOSS-PERCENT.

    Interrupted, it goes on from its checkpoints; seeds that are finished are not trained again unless
    data, settings or code changed.
    """
    config = load_section(TrainingConfig, "training")
    model = load_section(ModelConfig, "model")
    path = active_file("rtp")
    with ReactionFile(path) as file:
        identifier = file.identifier
    split = read_split(split_file, identifier)
    folder = train_ensemble(load_structures(path), split, loss, percent, model, config)
    click.echo(f"{folder}: {len(trained_seeds(folder))} models")
