"""Training of a stack of models on one structure: each has its own loss, all take their steps together."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from hessbench.experiments.single_ts.run.settings import SingleTSConfig
from hessbench.potential.batch import Batch
from hessbench.potential.probes import draw_probes
from hessbench.potential.stack import Stack, StackPrediction
from hessbench.training.optimization import Optimization
from hessbench.training.settings import LossConfig, ProbeConfig

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


def errors(predictions: StackPrediction, target: Target, probes: Tensor | None = None) -> Fit:
    """Errors of each model; the gradient of an error that is exactly zero is zero.

    With probes (3 N, k) the Hessian's is the estimate from its products with them, as in
    `hessbench.training.loss.combined_loss`.
    """
    force = hessian = None
    size = len(target.forces)
    if predictions.forces is not None:
        force = torch.linalg.vector_norm(predictions.forces - target.forces, dim=1) / np.sqrt(size)
    if predictions.hessians is not None:
        difference = predictions.hessians - target.hessian
        if probes is not None:
            difference = difference @ probes / np.sqrt(probes.shape[1])
        hessian = torch.linalg.vector_norm(difference, dim=(1, 2)) / size
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
    stack: Stack,
    target: Target,
    weights: LossConfig,
    config: SingleTSConfig,
    report: Callable[[int], None] = lambda steps: None,
) -> None:
    """Train all models of a stack in place, `config.steps` steps.

    The sum of the losses is minimized; as no parameter is shared and the optimizer acts on each element,
    every model takes the steps it would take alone. With probes (E-F-HVP) all models are given the same ones,
    new ones at each step, and the products come from whole Hessians, which cost little for one structure.
    """
    optimization = Optimization(stack, config.optimizer, config.steps)
    derivatives = 2 if weights.hessian else weights.derivatives
    generator = torch.Generator().manual_seed(0)
    probes = None
    for step in range(1, config.steps + 1):
        optimization.zero_grad()
        if weights.hessian and weights.probes is not None:
            probes = _draw_probes(target.forces, weights.probes, generator)
        losses(errors(stack.predict(derivatives), target, probes), weights).sum().backward()
        optimization.step()
        if step % REPORT_STEPS == 0 or step == config.steps:
            report((step - 1) % REPORT_STEPS + 1)


def _draw_probes(forces: Tensor, config: ProbeConfig, generator: torch.Generator) -> Tensor:
    """Draw probes (3 N, k) for the one structure that has these forces (3 N,)."""
    atoms = len(forces) // 3
    structure = Batch(torch.ones(atoms, dtype=torch.int64), forces.view(atoms, 3), torch.tensor([atoms]))
    return draw_probes(structure, config.count, config.kind, generator).flatten(0, 1)
