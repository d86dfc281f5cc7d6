"""The mean of several potentials as a potential of its own."""

from collections.abc import Sequence

import torch
from torch import Tensor

from hessbench.potential.batch import Batch, Prediction
from hessbench.potential.evaluation import predict_each
from hessbench.potential.interface import Derivatives, Potential


class MeanPotential:
    """Mean of the energies of potentials of the same elements, dtype and device, and of their derivatives.

    Parameters
    ----------
    members
        One or more potentials.
    """

    def __init__(self, members: Sequence[Potential]) -> None:
        self.members = list(members)
        self.elements = self.members[0].elements
        self.dtype = self.members[0].dtype
        self.device = self.members[0].device

    @property
    def atomic_energies(self) -> Tensor:
        """Mean energies of the free atoms, see `Potential.atomic_energies`."""
        return torch.stack([member.atomic_energies for member in self.members]).mean(0)

    def predict(self, batch: Batch, derivatives: Derivatives, probes: Tensor | None = None) -> Prediction:
        """Predict for a batch, see `Potential.predict`."""
        found = predict_each(self.members, batch, derivatives, probes)
        return Prediction(
            torch.stack([item.energies for item in found]).mean(0),
            *(_mean([getattr(item, part) for item in found]) for part in ("forces", "hessians", "products")),
        )


def _mean(parts: Sequence[Tensor | None]) -> Tensor | None:
    present = [part for part in parts if part is not None]
    return torch.stack(present).mean(0) if present else None
