"""What the package needs of a potential, and what an architecture that can be trained adds to it.

A trained model, a level of theory and a user's calculator are all used through `Potential`, so the same
experiment runs for each of them. `hessbench.potential.validate` finds out whether an object is one.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol, Self

import numpy as np
import torch
from ase.data import atomic_numbers
from torch import Tensor, nn

from hessbench.data.structures import Structures
from hessbench.potential.atomic_energies import fit_atomic_energies
from hessbench.potential.batch import Batch, Prediction
from hessbench.potential.stack import OneByOne, Stack

Derivatives = Literal[0, 1, 2]
"""Highest derivative asked for: energies alone, forces too, Hessians too."""


class Potential(Protocol):
    """Energies of molecules and their derivatives by the coordinates, in kcal/mol and Angstrom."""

    @property
    def elements(self) -> tuple[str, ...]:
        """Chemical symbols of the elements it knows."""
        ...

    @property
    def atomic_energies(self) -> Tensor:
        """Energies of the free atoms by element, (elements,) float64, kcal/mol.

        Predicted energies lack them: total energies need more digits than float32 has. Zero where the
        predicted energies are the total ones.
        """
        ...

    @property
    def dtype(self) -> torch.dtype:
        """Floating point type of the coordinates it takes and of what it predicts."""
        ...

    @property
    def device(self) -> torch.device:
        """Where it takes batches and leaves predictions."""
        ...

    def predict(self, batch: Batch, derivatives: Derivatives, probes: Tensor | None = None) -> Prediction:
        """Predict for a batch of molecules.

        Within `torch.no_grad` nothing is kept for a reverse pass; a potential that differentiates
        automatically enables gradients itself. Outside, predictions can be differentiated with respect to
        trainable parameters, if there are any. The coordinates get no gradient.

        Parameters
        ----------
        batch
            M molecules with A atoms in all, coordinates of this potential's dtype and device.
        derivatives
            0 for energies, 1 for forces too, 2 for Hessians too.
        probes
            (A, 3, k): also the products of each molecule's Hessian with its rows of k vectors.

        Returns
        -------
        Prediction
            Energies without the atomic energies, and what was asked for.

        Raises
        ------
        PotentialError
            A geometry cannot be evaluated, for example because an SCF does not converge.
        HessbenchError
            The batch does not fit the potential, for example an element it does not know.
        """
        ...


class TrainablePotential(nn.Module):
    """Base of a potential with trainable parameters, which belongs to an architecture of the registry.

    A subclass gives `predict` and `save`; the other methods have defaults that serve any potential, to be
    replaced by what is faster.

    Parameters
    ----------
    elements
        Chemical symbols of the elements it knows.

    Attributes
    ----------
    atomic_energies
        (elements,) float64, kcal/mol, whatever the dtype of the parameters; zero until `prepare`.
    """

    elements: tuple[str, ...]
    atomic_energies: Tensor

    def __init__(self, elements: Sequence[str]) -> None:
        super().__init__()
        self.elements = tuple(elements)
        self.register_buffer("atomic_energies", torch.zeros(len(self.elements), dtype=torch.float64))

    @property
    def dtype(self) -> torch.dtype:
        """Floating point type of the parameters."""
        return next(self.parameters()).dtype

    @property
    def device(self) -> torch.device:
        """Device of the parameters."""
        return self.atomic_energies.device

    def predict(self, batch: Batch, derivatives: Derivatives, probes: Tensor | None = None) -> Prediction:
        """Predict for a batch, see `Potential.predict`."""
        raise NotImplementedError(f"{type(self).__name__} does not define predict.")

    def prepare(self, training: Structures) -> None:
        """Take from the training structures what is not trained: here, the energies of the free atoms."""
        numbers = [atomic_numbers[symbol] for symbol in self.elements]
        fitted = fit_atomic_energies(training.numbers, training.counts, training.energies, numbers)
        self.atomic_energies.copy_(torch.as_tensor(fitted))

    def save(self, path: Path, notes: Mapping[str, str] | None = None) -> None:
        """Write a model file that `hessbench.potential.load` reads.

        Parameters
        ----------
        path
            File to write or replace; it appears whole or not at all.
        notes
            What else to remember, for example loss and seed.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define save.")

    def reference_predict(
        self, batch: Batch, derivatives: Derivatives, probes: Tensor | None = None
    ) -> Prediction:
        """Predict by automatic differentiation, one reverse pass per coordinate, as the paper does.

        An oracle, and what faster ways are timed against. A potential that knows no faster way is its own.
        """
        return self.predict(batch, derivatives, probes)

    @classmethod
    def predict_ensemble(
        cls, members: Sequence[Self], batch: Batch, derivatives: Derivatives, probes: Tensor | None = None
    ) -> list[Prediction]:
        """Predict with several potentials of this class; what they share may be computed once."""
        return [member.predict(batch, derivatives, probes) for member in members]

    @classmethod
    def stacked(
        cls, members: Sequence[Self], numbers: np.ndarray, coordinates: np.ndarray, energy_unit: float
    ) -> Stack:
        """Put potentials of this class together that are to be trained on one structure.

        Parameters
        ----------
        members
            M untrained potentials with the same settings; they are prepared for the structure.
        numbers, coordinates
            (N,) and (N, 3), Angstrom, of the structure.
        energy_unit
            What the potentials' energies are multiplied by, kcal/mol.
        """
        return OneByOne(members, numbers, coordinates, energy_unit)

    def _apply(self, fn: Any, recurse: bool = True) -> Self:
        """Convert or move, but leave the atomic energies in float64: float32 holds them to 0.01 kcal/mol."""
        exact = self.atomic_energies
        super()._apply(fn, recurse)
        self.atomic_energies = exact.to(self.atomic_energies.device)
        return self
