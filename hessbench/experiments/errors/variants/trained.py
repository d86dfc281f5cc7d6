"""Variants of a profile's models: trained on a share of its data, one by one, and tested as ensembles are."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd

from hessbench.data.structures import Structures
from hessbench.experiments.errors.run.model_errors import errors_of_model
from hessbench.experiments.errors.run.scoring import TestSet
from hessbench.potential.interface import TrainablePotential
from hessbench.potential.registry import ModelConfig
from hessbench.system.processes import Report
from hessbench.training import fingerprint
from hessbench.training.loop import Row, train
from hessbench.training.preparation import examples, prepared
from hessbench.training.settings import LossConfig, TrainingConfig


@dataclass(frozen=True)
class Variant:
    """One model to train.

    Attributes
    ----------
    label
        Its loss as tables call it, "E-F-H".
    loss, model, config
        What it is trained with; the losses, seeds and processes of `config` are not looked at.
    seed
        Of its initial parameters, the order of its batches and its probes.
    """

    label: str
    loss: LossConfig
    model: ModelConfig
    config: TrainingConfig
    seed: int


class Model(Protocol):
    """A variant with what its experiment knows of it besides."""

    @property
    def variant(self) -> Variant:
        """What is trained."""
        ...


class ResumableModel(Model, Protocol):
    """One that goes on where it was interrupted."""

    @property
    def checkpoint(self) -> Path:
        """File to go on from."""
        ...


@dataclass(frozen=True)
class Share:
    """What all models are trained on, watched on and tested on.

    Attributes
    ----------
    training, validation
        Structures.
    data
        Which ones they are: name and checksum of the data set, and their indices in it.
    tested
        Test sets by name.
    batch_size
        Structures predicted at once.
    """

    training: Structures
    validation: Structures
    data: tuple[str, np.ndarray, np.ndarray]
    tested: dict[str, TestSet]
    batch_size: int

    def fingerprint(self, variant: Variant) -> str:
        """Digest of all that decides about a model that is trained on this share."""
        description = fingerprint.describe(*self.data, variant.loss, variant.model, variant.config)
        return fingerprint.fingerprint(description, variant.seed)


def train_variant(
    variant: Variant, share: Share, report: Report, checkpoint: Path | None = None
) -> tuple[TrainablePotential, float]:
    """Train a model, or read it where it is finished; the validation structures are looked at if they decide.

    Parameters
    ----------
    variant, share
        What is trained, and on what.
    report
        Called with 1 after every epoch.
    checkpoint
        File to go on from, see `hessbench.training.loop.train`.

    Returns
    -------
    potential, seconds
        The trained model, and the processor time of its training in this process.
    """
    model = prepared(variant.model, variant.seed, share.training)
    training = examples(model, share.training)
    # without a choice that depends on them, validation would only cost time
    decides = variant.config.keep == "best" or variant.config.optimizer.kind == "paper"
    validation = examples(model, share.validation) if decides else None

    def advance(row: Row) -> None:
        report(1)

    begin = time.process_time()
    train(
        model,
        training,
        validation,
        variant.loss,
        variant.config,
        variant.seed,
        checkpoint=checkpoint,
        fingerprint=share.fingerprint(variant) if checkpoint else "",
        report=advance,
        label=f"{variant.label}, seed {variant.seed}",
    )
    return model, time.process_time() - begin


def errors_of_variant(model: TrainablePotential, variant: Variant, share: Share) -> pd.DataFrame:
    """Rows of the table `ERRORS` for a trained model on all test sets, without the column `percent`."""
    errors = errors_of_model(model, variant.seed, share.tested, share.batch_size)
    errors.insert(0, "loss", variant.label)
    return errors


def train_and_test(model: ResumableModel, share: Share, report: Report) -> pd.DataFrame:
    """Train one model, or take it from its checkpoint, and test it.

    A model that is finished with the same data, settings and code is not trained again; one that was
    interrupted goes on from its last checkpoint.

    Returns
    -------
    DataFrame
        Rows of the table `ERRORS` on all test sets, without the column `percent`.
    """
    trained, _ = train_variant(model.variant, share, report, model.checkpoint)
    return errors_of_variant(trained, model.variant, share)
