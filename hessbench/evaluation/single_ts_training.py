"""Training of stacked models on one structure: each has its own loss, all take their steps together."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from hessbench.config.single_ts import SingleTSConfig
from hessbench.config.training import LossConfig
from hessbench.evaluation.single_ts_descriptors import Descriptors
from hessbench.evaluation.single_ts_ensemble import Predictions, StackedModels
from hessbench.training.optimization import Optimization

REPORT_STEPS = 10
"""Steps between reports of progress."""


@dataclass(frozen=True)
class Target:
    """What a structure's models shall predict: energy zero, forces (3 N,), Hessian (3 N, 3 N)."""

    forces: Tensor
    hessian: Tensor


@dataclass(frozen=True)
class Fit:
    """Root-mean-square errors of M models on their one structure (eqs. 3 to 5 of the paper), each (M,)."""

    energy: Tensor
    force: Tensor | None
    hessian: Tensor | None


def errors(predictions: Predictions, target: Target) -> Fit:
    """Errors of each model; the gradient of an error that is exactly zero is zero."""
    force = hessian = None
    size = len(target.forces)
    if predictions.forces is not None:
        force = torch.linalg.vector_norm(predictions.forces - target.forces, dim=1) / np.sqrt(size)
    if predictions.hessians is not None:
        hessian = torch.linalg.vector_norm(predictions.hessians - target.hessian, dim=(1, 2)) / size
    return Fit(predictions.energies.abs(), force, hessian)


def losses(fit: Fit, weights: LossConfig) -> Tensor:
    """Eq. 6 for each model, (M,)."""
    total = fit.energy
    if fit.force is not None:
        total = total + weights.force * fit.force
    if fit.hessian is not None:
        total = total + weights.hessian * fit.hessian
    return total


def train_stack(
    stack: StackedModels,
    descriptors: Descriptors,
    target: Target,
    weights: LossConfig,
    config: SingleTSConfig,
    report: Callable[[int], None] = lambda steps: None,
) -> None:
    """Train all models of a stack in place, `config.steps` steps.

    The sum of the losses is minimized; as no parameter is shared and the optimizer acts on each element,
    every model takes the steps it would take alone.
    """
    optimization = Optimization(stack, config.optimizer, config.steps)
    for step in range(1, config.steps + 1):
        optimization.zero_grad()
        losses(errors(stack(descriptors, weights.derivatives), target), weights).sum().backward()
        optimization.step()
        if step % REPORT_STEPS == 0 or step == config.steps:
            report((step - 1) % REPORT_STEPS + 1)
