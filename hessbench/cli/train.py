"""`hessbench train`: train an ensemble."""

from pathlib import Path

import click

from hessbench.config.base import load_section
from hessbench.config.options import LossChoice, split_option
from hessbench.data.layout import ReactionFile
from hessbench.data.locations import active_file
from hessbench.data.split import read_split
from hessbench.data.structures import load_structures
from hessbench.potential.ensembles import CHECKPOINTS, MODELS, trained_seeds
from hessbench.potential.registry import ModelConfig
from hessbench.system.alone import alone
from hessbench.training.ensemble import train_ensembles
from hessbench.training.settings import TrainingConfig


@click.command()
@click.option("--loss", type=LossChoice(), help="Only this loss of params.yaml (training.losses).")
@click.option("--percent", type=int, help="Only this training set size, in percent of all structures.")
@split_option
def command(loss: str | None, percent: int | None, split_file: Path) -> None:
    """Train the ensembles of all losses and training set sizes: models/PERCENT/LOSS.

    All models are one queue, for processes of this machine or for the workers that the section `cluster` of
    params.yaml names. Interrupted, it goes on from its checkpoints; models that are finished are not trained
    again unless data, settings or code changed.
    """
    config = load_section(TrainingConfig, "training")
    model = load_section(ModelConfig, "model")
    path = active_file("rtp")
    with ReactionFile(path) as file:
        identifier = file.identifier
    split = read_split(split_file, identifier)
    losses = list(config.losses) if loss is None else [loss]
    percents = list(split.sizes) if percent is None else [percent]
    wanted = [(name, size) for size in percents for name in losses]
    structures = load_structures(path)
    checkpoints = CHECKPOINTS / "train"
    locks = [checkpoints / f"{name}-{size}.lock" for name, size in wanted]
    with alone(*locks):
        for folder in train_ensembles(structures, split, wanted, model, config, MODELS, checkpoints):
            click.echo(f"{folder}: {len(trained_seeds(folder))} models")
