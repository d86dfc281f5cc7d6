"""What a model was trained with, so that a rerun knows whether it is the same training."""

import hashlib
import json
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hessbench.potential.registry import ModelConfig, architectures
from hessbench.system.sources import code_digest
from hessbench.training.settings import LossConfig, TrainingConfig
from hessbench.training.stage import STAGE

PACKAGES = ("torch", "numpy")
"""Packages on whose versions every trained model depends; an architecture may name more."""


def describe(
    data: str,
    training: NDArray[np.int64],
    validation: NDArray[np.int64],
    loss: LossConfig,
    model: ModelConfig,
    config: TrainingConfig,
) -> dict[str, Any]:
    """Collect all that decides about a trained model, except its seed, as plain data."""
    packages = *PACKAGES, *architectures()[model.kind].packages
    settings = config.model_dump(
        mode="json",
        exclude={
            "seeds",
            "seeds_of_smaller_shares",
            "first_seed",
            "processes",
            "losses",
            "checkpoint_epochs",
            "hessian_validation_epochs",
        },
    )
    return {
        "data": data,
        "training_structures": _digest(np.asarray(training, dtype="<i8").tobytes()),
        "validation_structures": _digest(np.asarray(validation, dtype="<i8").tobytes()),
        "loss": loss.model_dump(mode="json", exclude={"label"}),  # a new label trains nothing anew
        "model": model.model_dump(mode="json"),
        "training": settings,
        "versions": {package: version(package) for package in packages},
        "source": code_digest(STAGE.package),  # after an edit nothing is resumed that was begun before it
    }


def fingerprint(description: dict[str, Any], seed: int) -> str:
    """Digest of a description and a seed."""
    return _digest(json.dumps([description, seed], sort_keys=True).encode())


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
