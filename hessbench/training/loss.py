"""The loss of the paper, eqs. 3 to 6, and its estimate from Hessian-vector products."""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from hessbench.errors import TrainingError
from hessbench.potential.batch import Batch, Prediction
from hessbench.training.settings import LossConfig, ProbeConfig


@dataclass(frozen=True)
class Loss:
    """A loss of a batch and the errors in it.

    Attributes
    ----------
    total
        Eq. 6, to be minimized.
    errors
        Root-mean-square error by quantity ("energy", "force", "hessian") of the terms in the loss, in
        kcal/mol, kcal/mol/Angstrom and kcal/mol/Angstrom^2. With probes the Hessian's is an estimate.
    """

    total: Tensor
    errors: dict[str, float]


def combined_loss(
    prediction: Prediction,
    reference: Prediction,
    batch: Batch,
    weights: LossConfig,
    form: Literal["rmse", "mse"] = "rmse",
) -> Loss:
    """Combine the errors of a batch, L = eps_E + eta_F eps_F + eta_H eps_H (eq. 6 of the paper).

    Each error is a root mean square over the elements of all molecules of the batch (eqs. 3 to 5), or the
    mean square if `form` is "mse". Where an error is exactly zero its gradient is taken as zero.

    With probes v, E[v v^T] = 1, the mean of |dH v|^2 over probes has the expectation |dH|^2 (Frobenius), so
    dividing its sum over molecules by the number of Hessian elements estimates eps_H^2 without bias.

    Parameters
    ----------
    prediction, reference
        What the model gives and what is wanted, energies without self-energies.
    batch
        The molecules.
    weights
        eta_F, eta_H and whether probes stand for whole Hessians.
    form
        Of each error.
    """
    norms: dict[str, tuple[Tensor, int]] = {"energy": _difference(prediction.energies, reference.energies)}
    if weights.force:
        norms["force"] = _difference(prediction.forces, reference.forces)
    if weights.hessian and weights.probes is None:
        norms["hessian"] = _difference(prediction.hessians, reference.hessians)
    elif weights.hessian and weights.probes is not None:
        norm, _ = _difference(prediction.products, reference.products)
        norms["hessian"] = norm, weights.probes.count * int(batch.hessian_offsets[-1])
    errors = {quantity: norm / math.sqrt(elements) for quantity, (norm, elements) in norms.items()}
    factors = {"energy": 1.0, "force": weights.force, "hessian": weights.hessian}
    power = 1 if form == "rmse" else 2
    total = torch.stack([factors[quantity] * error**power for quantity, error in errors.items()]).sum()
    return Loss(total, {quantity: float(error.detach()) for quantity, error in errors.items()})


def _difference(predicted: Tensor | None, reference: Tensor | None) -> tuple[Tensor, int]:
    """Euclidean norm of the error, whose gradient torch defines as zero at zero, and the elements."""
    if predicted is None or reference is None:
        raise TrainingError(
            "The loss needs forces or Hessians that the model or the data do not give; "
            "set the weight of that term to 0, or train on data that have them."
        )
    if predicted.shape != reference.shape:
        raise TrainingError(
            f"The model predicts an array of shape {tuple(predicted.shape)} where the data have "
            f"{tuple(reference.shape)}; a custom model must follow hessbench.potential.Prediction."
        )
    return torch.linalg.vector_norm(predicted - reference), reference.numel()


def draw_probes(batch: Batch, config: ProbeConfig, generator: torch.Generator) -> Tensor:
    """Draw probes with E[v v^T] = 1 for each molecule, (A, 3, k)."""
    shape = (*batch.coordinates.shape, config.count)
    dtype = batch.coordinates.dtype
    if config.kind == "gaussian":
        return torch.randn(shape, generator=generator, dtype=dtype)
    if config.kind == "rademacher":
        return torch.randint(2, shape, generator=generator).to(dtype) * 2 - 1
    probes = torch.zeros(shape[0] * 3, config.count, dtype=dtype)
    sizes = 3 * batch.counts
    # one coordinate of each molecule and probe, (M, k)
    uniform = torch.rand((len(batch), config.count), generator=generator, dtype=torch.float64)
    coordinate = (uniform * sizes[:, None]).long() + 3 * batch.offsets[:-1, None]
    heights = sizes.to(dtype).sqrt()[:, None].expand_as(coordinate)
    return probes.scatter_(0, coordinate, heights).view(shape)
