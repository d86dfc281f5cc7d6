"""One entry to energies, forces and Hessians, whichever path computes them."""

import importlib.util
import os
import warnings
from collections.abc import Sequence
from functools import cache
from typing import Literal

import torch
from torch import Tensor

from hessbench.errors import HessbenchError
from hessbench.potential.ani.model import ANI
from hessbench.potential.ani.pure import evaluate_pure
from hessbench.potential.batch import Batch, Prediction
from hessbench.potential.interface import Derivatives
from hessbench.potential.repulsion import repulsion
from hessbench.system.memory import keep_freed_memory

Backend = Literal["auto", "native", "torch"]


def evaluate(
    model: ANI,
    batch: Batch,
    derivatives: Derivatives,
    probes: Tensor | None = None,
    *,
    backend: Backend | None = None,
) -> Prediction:
    """Energies, forces and Hessians of molecules, differentiable with respect to the parameters.

    Exact, and without differentiating through the descriptors (docs/derivatives.md). The coordinates get no
    gradient: derivatives with respect to them are what is returned.

    Parameters
    ----------
    model
        An ANI model.
    batch
        Molecules, coordinates of the model's dtype and device.
    derivatives
        0 for energies, 1 for forces too, 2 for Hessians too. Only what is asked for is computed; within
        `torch.no_grad` nothing is kept for a reverse pass.
    probes
        (A, 3, k): also return the products of each Hessian with k vectors.
    backend
        "native": compiled kernels, for CPUs.
        "torch": torch alone, on any device. "auto", the default, takes the first where it can. None reads the
        environment variable HESSBENCH_BACKEND.

    Returns
    -------
    Prediction
        Energies of the networks and the repulsion, if the architecture has one (atomic energies are not
        included), forces, flat Hessians, products.

    Raises
    ------
    HessbenchError
        Dtypes or devices differ, the model does not know an element, or the backend is not available.
    """
    return evaluate_ensemble([model], batch, derivatives, probes, backend=backend)[0]


def evaluate_ensemble(
    models: Sequence[ANI],
    batch: Batch,
    derivatives: Derivatives,
    probes: Tensor | None = None,
    *,
    backend: Backend | None = None,
) -> list[Prediction]:
    """Evaluate several models of one architecture on one batch; the geometry is evaluated once.

    Parameters, results and errors are those of `evaluate`; all models must share architecture and dtype.
    """
    first = models[0]
    if any(model.architecture != first.architecture or model.dtype != first.dtype for model in models):
        raise HessbenchError("The models of an ensemble must have one architecture and one dtype.")
    if batch.coordinates.dtype != first.dtype or batch.coordinates.device != first.feature_scale.device:
        raise HessbenchError(
            f"Coordinates are {batch.coordinates.dtype} on {batch.coordinates.device}, the model is "
            f"{first.dtype} on {first.feature_scale.device}; convert one of them with `to`."
        )
    if probes is not None and probes.shape[:2] != batch.coordinates.shape:
        raise HessbenchError(
            f"Probes have shape {tuple(probes.shape)}, expected ({len(batch.numbers)}, 3, k) for this batch."
        )
    keep_freed_memory()
    predictions = _networks(models, batch, derivatives, probes, backend)
    if first.architecture.repulsion == "none":
        return predictions
    close = repulsion(batch, derivatives, probes)
    return [prediction + close for prediction in predictions]


def _networks(
    models: Sequence[ANI],
    batch: Batch,
    derivatives: Derivatives,
    probes: Tensor | None,
    backend: Backend | None,
) -> list[Prediction]:
    if choose_backend(batch.coordinates.device, backend) == "torch":
        return evaluate_pure(models, batch, derivatives, probes)
    from hessbench.potential.ani.native import evaluate_native  # needs numba

    return evaluate_native(models, batch, derivatives, probes)


def choose_backend(device: torch.device, backend: Backend | None = None) -> Literal["native", "torch"]:
    """Decide which path serves a device; says so once if the fast one is not installed."""
    wanted = backend or os.environ.get("HESSBENCH_BACKEND", "auto")
    if wanted == "torch" or (wanted == "auto" and device.type != "cpu"):
        return "torch"
    if wanted not in ("auto", "native"):
        raise HessbenchError(f"HESSBENCH_BACKEND is {wanted!r}; expected auto, native or torch.")
    if wanted == "native" and device.type != "cpu":
        raise HessbenchError(
            f"The native backend runs on CPUs, the model is on {device}; use the torch backend."
        )
    if _numba_installed():
        return "native"
    if wanted == "native":
        raise HessbenchError(f"The native backend is not installed: {_REMEDY}.")
    _say_once()
    return "torch"


_REMEDY = "pip install 'hessbench[native]'"


@cache
def _numba_installed() -> bool:
    return all(importlib.util.find_spec(name) is not None for name in ("numba", "threadpoolctl"))


@cache
def _say_once() -> None:
    warnings.warn(
        f"numba is not installed, so derivatives take the slower pure torch path; {_REMEDY} mends it.",
        stacklevel=4,
    )
