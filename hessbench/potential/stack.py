"""Several potentials of one architecture that are trained together on one structure (section 3.1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from hessbench.potential.batch import Batch


@dataclass(frozen=True)
class StackPrediction:
    """What M potentials say about one structure of N atoms, kcal/mol and Angstrom.

    Attributes
    ----------
    energies, forces, hessians
        (M,), (M, 3 N) and (M, 3 N, 3 N); None where not asked for.
    """

    energies: Tensor
    forces: Tensor | None
    hessians: Tensor | None


class Stack(nn.Module):
    """The trainable parameters of M potentials, none of them shared, and the structure they learn."""

    def predict(self, derivatives: Literal[0, 1, 2]) -> StackPrediction:
        """Predict for the structure, with derivatives up to the given order."""
        raise NotImplementedError(f"{type(self).__name__} does not define predict.")

    def energies(self, coordinates: np.ndarray) -> Tensor:
        """Energies (M, P) of P geometries (P, N, 3) of the structure's atoms, Angstrom."""
        raise NotImplementedError(f"{type(self).__name__} does not define energies.")


class OneByOne(Stack):
    """A stack of any potentials: each is evaluated by itself.

    Parameters
    ----------
    members
        M trainable potentials of one dtype, which are trained in place.
    numbers, coordinates
        (N,) and (N, 3), Angstrom, of the structure.
    energy_unit
        What the potentials' energies are multiplied by, kcal/mol.
    """

    def __init__(
        self, members: Sequence[Any], numbers: np.ndarray, coordinates: np.ndarray, energy_unit: float
    ) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.numbers, self.coordinates, self.energy_unit = numbers, coordinates, energy_unit

    def predict(self, derivatives: Literal[0, 1, 2]) -> StackPrediction:
        """Predict for the structure, see `Stack.predict`."""
        batch = self._batch(self.coordinates[None])
        found = [member.predict(batch, derivatives) for member in self.members]  # type: ignore[operator]
        return StackPrediction(
            self.energy_unit * torch.cat([item.energies for item in found]),
            self.energy_unit * torch.stack([item.forces.flatten() for item in found])
            if derivatives > 0
            else None,
            self.energy_unit * torch.stack([item.hessian(batch, 0) for item in found])
            if derivatives > 1
            else None,
        )

    def energies(self, coordinates: np.ndarray) -> Tensor:
        """Energies of other geometries, see `Stack.energies`."""
        batch = self._batch(coordinates)
        energies = [member.predict(batch, 0).energies for member in self.members]  # type: ignore[operator]
        return self.energy_unit * torch.stack(energies)

    def _batch(self, coordinates: np.ndarray) -> Batch:
        parameter = next(self.parameters())
        batch = Batch.from_molecules([(self.numbers, item) for item in coordinates], parameter.dtype)
        return batch.to(parameter.device)
