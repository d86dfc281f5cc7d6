"""Benchmark and reproducibility package for Hessian-trained machine learning potentials.

`load("efh")` gives the pretrained ensemble of a loss (`hessbench.pretrained.load`); it is imported when it is
first used, for torch takes seconds.
"""

import importlib
from typing import Any

__version__ = "0.1.0"
__all__ = ["__version__", "load"]


def __getattr__(name: str) -> Any:
    if name == "load":
        return importlib.import_module("hessbench.pretrained").load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
