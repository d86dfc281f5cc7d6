"""Potentials of molecules with first and second derivatives: one interface, and what can be trained."""

from hessbench.potential.batch import Batch, Prediction
from hessbench.potential.interface import Potential, TrainablePotential
from hessbench.potential.registry import ModelConfig, build, load
from hessbench.potential.validation import validate

__all__ = [
    "Batch",
    "ModelConfig",
    "Potential",
    "Prediction",
    "TrainablePotential",
    "build",
    "load",
    "validate",
]
