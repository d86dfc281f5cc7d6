"""Training of a stack of models on one structure: each has its own loss, all take their steps together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from hessbench.experiments.single_ts.run.settings import SingleTSConfig
from hessbench.potential.batch import Batch, Prediction
from hessbench.potential.stack import Stack, StackPrediction
from hessbench.training.loss import draw, term_errors, weighted_sum, with_products
from hessbench.training.optimization import Optimization
from hessbench.training.settings import LossConfig, Quantity, Term

REPORT_STEPS = 10
"""Steps between reports of progress."""


@dataclass(frozen=True)
class Target:
    """What a structure's models shall predict: energy zero, forces (N, 3) and the Hessian.

    Attributes
    ----------
    structure
        A batch of the structure alone.
    values
        As a model of the package predicts them for this batch.
    """

    structure: Batch
    values: Prediction


def target_of(numbers: np.ndarray, coordinates: Tensor, forces: Tensor, hessian: Tensor) -> Target:
    """Target of a structure: (N,), (N, 3), Angstrom; forces (N, 3), Hessian (3 N, 3 N); energy zero."""
    structure = Batch(
        torch.as_tensor(numbers).to(coordinates.device), coordinates, torch.tensor([len(numbers)])
    )
    return Target(structure, Prediction(forces.new_zeros(1), forces, hessian.flatten()))


def errors(
    terms: Sequence[Term], predictions: StackPrediction, target: Target, probes: Tensor | None = None
) -> dict[Quantity, Tensor]:
    """Error of each term for each of M models (eqs. 3 to 5 of the paper), by quantity, (M,).

    With probes (N, 3, k) the products come from whole Hessians, which cost little for one structure.
    """
    forces, hessians = predictions.forces, predictions.hessians
    atoms = target.structure.coordinates.shape
    products = None
    if hessians is not None and probes is not None:
        products = (hessians @ probes.flatten(0, 1)).unflatten(1, atoms)
    predicted = Prediction(
        predictions.energies[:, None],
        None if forces is None else forces.unflatten(1, atoms),
        None if hessians is None else hessians.flatten(1),
        products,
    )
    reference = with_products(target.values, target.structure, probes)
    return term_errors(terms, predicted, reference, target.structure)


def train_stack(
    stack: Stack,
    target: Target,
    loss: LossConfig,
    config: SingleTSConfig,
    report: Callable[[int], None] = lambda steps: None,
) -> None:
    """Train all models of a stack in place, `config.steps` steps.

    The sum of the losses is minimized; as no parameter is shared and the optimizer acts on each element,
    every model takes the steps it would take alone. Where the loss needs random vectors (E-F-HVP) all models
    are given the same ones, new ones at each step.
    """
    optimization = Optimization(stack, config.optimizer, config.steps)
    derivatives = 2 if loss.estimated else loss.derivatives
    generator = torch.Generator().manual_seed(0)
    for step in range(1, config.steps + 1):
        optimization.zero_grad()
        probes = draw(loss, target.structure, generator)
        found = errors(loss.terms, stack.predict(derivatives), target, probes)
        weighted_sum(found, loss).sum().backward()
        optimization.step()
        if step % REPORT_STEPS == 0 or step == config.steps:
            report((step - 1) % REPORT_STEPS + 1)
