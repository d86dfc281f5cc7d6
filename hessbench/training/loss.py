"""Errors of a batch, eqs. 3 to 5 of the paper, their estimates, and the loss that they add up to, eq. 6."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import Literal, TypeVar

import torch
from torch import Tensor

from hessbench.errors import TrainingError
from hessbench.potential.batch import Batch, Prediction
from hessbench.potential.probes import draw_probes, hessian_products
from hessbench.training.settings import LossConfig, Quantity, Term


@dataclass(frozen=True)
class Target:
    """How the error of a quantity is formed.

    Attributes
    ----------
    values
        The quantity in a prediction, None if it is not there; without products with random vectors.
    symbol
        Beside a progress bar.
    column
        Of its root-mean-square error in learning curves, after "training_" or "validation_", with the unit.
    """

    values: Callable[[Prediction], Tensor | None]
    symbol: str
    column: str


TARGETS: dict[Quantity, Target] = {
    "energy": Target(lambda prediction: prediction.energies, "E", "energy_rmse_kcal_mol"),
    "force": Target(lambda prediction: prediction.forces, "F", "force_rmse_kcal_mol_A"),
    "hessian": Target(lambda prediction: prediction.hessians, "H", "hessian_rmse_kcal_mol_A2"),
}
"""Every quantity that a term can be of, by order of the derivative."""

Value = TypeVar("Value", Tensor, float)


def weighted_sum(
    errors: Mapping[Quantity, Value], loss: LossConfig, form: Literal["rmse", "mse"] = "rmse"
) -> Value:
    """Eq. 6 of the paper, L = eps_E + eta_F eps_F + eta_H eps_H, with the terms and weights of a loss.

    Parameters
    ----------
    errors
        Root-mean-square error of each quantity of the loss: of a batch, of a whole set, or of many models.
        A term whose error is not there adds nothing: that of Hessians, in a batch without any.
    loss
        Terms and weights.
    form
        Whether errors are added as they are, or squared.
    """
    power = 1 if form == "rmse" else 2
    known = [term for term in loss.terms if term.quantity in errors]
    return reduce(add, [term.weight * errors[term.quantity] ** power for term in known])


def term_errors(
    terms: Iterable[Term], prediction: Prediction, reference: Prediction, batch: Batch
) -> dict[Quantity, Tensor]:
    """Error of each term: root mean square over the elements of all molecules of a batch (eqs. 3 to 5).

    Where an error is exactly zero its gradient is taken as zero.

    With probes v, E[v v^T] = 1, the mean of |dH v|^2 over probes has the expectation |dH|^2 (Frobenius), so
    dividing its sum over molecules by the number of Hessian elements estimates eps_H^2 without bias.

    Parameters
    ----------
    terms
        Whose errors are asked for.
    prediction
        What the model gives, energies without self-energies. Of several models that predict for the same
        molecules: all arrays with a leading axis over the models, which the errors then have, too.
    reference
        What is wanted.
    batch
        The molecules that have a Hessian, over which its error is averaged.

    Raises
    ------
    TrainingError
        The model or the data do not give what a term needs, or differ in shape.
    """
    models = prediction.energies.shape[: -reference.energies.ndim]
    errors = {}
    for term in terms:
        if term.estimator == "exact":
            values = TARGETS[term.quantity].values
            predicted, wanted = values(prediction), values(reference)
        else:
            predicted, wanted = prediction.products, reference.products
        if predicted is None or wanted is None:
            raise TrainingError(
                f"The loss needs the {term.quantity}, which the model or the data do not give; "
                "leave that term out, or train on data that have it."
            )
        if predicted.shape != models + wanted.shape:
            raise TrainingError(
                f"The model predicts an array of shape {tuple(predicted.shape)} where the data have "
                f"{tuple(wanted.shape)}; a custom model must follow hessbench.potential.Prediction."
            )
        elements = wanted.numel()
        if term.estimator != "exact":
            elements = wanted.shape[-1] * int(batch.hessian_offsets[-1])
        norm = torch.linalg.vector_norm(predicted - wanted, dim=tuple(range(-wanted.ndim, 0)))
        errors[term.quantity] = norm / math.sqrt(elements)
    return errors


def draw(loss: LossConfig, batch: Batch, generator: torch.Generator) -> Tensor | None:
    """Draw the random vectors that an estimated term of a loss needs, (A, 3, k); None if it has none."""
    term = loss.estimated
    if term is None or term.estimator == "exact" or term.count is None:
        return None
    return draw_probes(batch, term.count, term.estimator, generator)


def with_products(reference: Prediction, batch: Batch, probes: Tensor | None) -> Prediction:
    """Add the products of reference Hessians with probes, where there are both."""
    if probes is None or reference.hessians is None:
        return reference
    return replace(reference, products=hessian_products(reference.hessians, batch, probes))
