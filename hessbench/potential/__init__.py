"""ANI models of molecules with exact first and second derivatives."""

from typing import Literal

from torch import Tensor

from hessbench.potential.batch import Batch, Prediction
from hessbench.potential.model import ANI
from hessbench.potential.pure import evaluate_pure

__all__ = ["ANI", "Batch", "Prediction", "evaluate"]


def evaluate(
    model: ANI, batch: Batch, derivatives: Literal[0, 1, 2], probes: Tensor | None = None
) -> Prediction:
    """Energies, forces and Hessians of molecules, differentiable with respect to the parameters."""
    return evaluate_pure(model, batch, derivatives, probes)
