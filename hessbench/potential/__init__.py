"""Potentials of molecules with first and second derivatives: one interface, and what can be trained.

The names are imported when they are first used: drawing a model's networks (Figure S3) needs no torch.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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
_MODULES = {
    "batch": ("Batch", "Prediction"),
    "interface": ("Potential", "TrainablePotential"),
    "registry": ("ModelConfig", "build", "load"),
    "validation": ("validate",),
}


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(importlib.import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
