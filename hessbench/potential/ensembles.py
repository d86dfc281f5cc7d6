"""Trained ensembles on disk: models/<percent>/<loss>/seed-<seed>.safetensors."""

import json
from pathlib import Path

from hessbench.config.device import chosen_device
from hessbench.config.inputs import Inputs, read_inputs
from hessbench.config.loss_labels import read_label
from hessbench.errors import DataError
from hessbench.potential.interface import TrainablePotential
from hessbench.potential.registry import load
from hessbench.system.reading import reading

MODELS = Path("models")
CHECKPOINTS = Path("results/checkpoints")
"""What interrupted trainings go on from: outside `MODELS`, which DVC removes before it trains."""
PROVENANCE = "training.json"
"""Data, settings, seeds, hardware and times of an ensemble, inside its folder."""


def ensemble_folder(loss: str, percent: int, models: Path = MODELS) -> Path:
    """Folder of the ensemble of one loss ("e", "ef", ...) and training set size."""
    return models / str(percent) / loss


def model_file(folder: Path, seed: int) -> Path:
    """File of one model of an ensemble."""
    return folder / f"seed-{seed}.safetensors"


def trained_seeds(folder: Path) -> list[int]:
    """Seeds of a finished ensemble.

    Raises
    ------
    DataError
        The ensemble is not there, or its training did not finish.
    """
    path = folder / PROVENANCE
    command = f"hessbench train --loss {folder.name} --percent {folder.parent.name}"
    missing = f"does not exist; run `{command}` to the end."
    with reading(path, "cannot be read", "train again", missing=missing):
        return [int(seed) for seed in json.loads(path.read_text(encoding="utf-8"))["seeds"]]


def ensemble_inputs(folder: Path) -> Inputs:
    """What the models of a finished ensemble are made from.

    Raises
    ------
    DataError
        As `trained_seeds`, or the ensemble does not say what it was made from.
    """
    trained_seeds(folder)
    path = folder / PROVENANCE
    inputs = read_inputs(path)
    if inputs is None:
        raise DataError(path, "does not say what the models were made from; train again.")
    return inputs


def ensemble_label(folder: Path) -> str:
    """What the loss of a finished ensemble is called in tables and figures.

    Raises
    ------
    DataError
        As `trained_seeds`, or the ensemble does not say it.
    """
    trained_seeds(folder)
    return read_label(folder / PROVENANCE)


def load_member(path: Path) -> TrainablePotential:
    """Read a model and put it on the device that params.yaml names.

    Raises
    ------
    DataError
        The file is missing or damaged.
    ConfigurationError
        There is no such device here, see `hessbench.config.device`.
    """
    return load(path).to(chosen_device())


def load_ensemble(folder: Path) -> list[TrainablePotential]:
    """Read all models of a finished ensemble, in the order of their seeds.

    Raises
    ------
    DataError
        As `trained_seeds`, or a model file is missing or damaged.
    """
    return [load(model_file(folder, seed)) for seed in trained_seeds(folder)]
