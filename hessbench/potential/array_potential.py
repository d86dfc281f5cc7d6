"""Potentials that other programs compute: arrays in float64, nothing to train."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from ase.data import chemical_symbols
from torch import Tensor

from hessbench.potential.batch import Batch, Prediction
from hessbench.potential.evaluation import Array
from hessbench.potential.interface import Derivatives
from hessbench.potential.probes import hessian_products

STEP = 5e-3
"""Displacement of central differences, Angstrom."""
ANY_ELEMENT = tuple(chemical_symbols[1:])


class ArrayPotential:
    """Base of a potential of any elements that gives total energies, in float64 on the CPU.

    A subclass gives `energies_and_forces`, `energies` if they cost less without forces, and `hessians` if it
    has a better way to them than differences.
    """

    elements = ANY_ELEMENT
    dtype = torch.float64
    device = torch.device("cpu")

    def __init__(self) -> None:
        self.atomic_energies = torch.zeros(len(self.elements), dtype=torch.float64)

    def energies_and_forces(self, batch: Batch) -> tuple[Array, Array]:
        """Total energies (M,) in kcal/mol and forces (A, 3) in kcal/mol/Angstrom."""
        raise NotImplementedError(f"{type(self).__name__} does not define energies_and_forces.")

    def energies(self, batch: Batch) -> Array:
        """Total energies (M,) in kcal/mol, where forces are not asked for."""
        return self.energies_and_forces(batch)[0]

    def hessians(self, batch: Batch) -> Sequence[Array]:
        """Symmetric Hessian (3 N, 3 N) of each molecule, kcal/mol/Angstrom^2.

        Here by central differences of forces, all displacements of a molecule in one batch.
        """
        found = []
        for molecule, (first, last) in enumerate(pairwise(batch.offsets.tolist())):
            numbers, coordinates = batch.numbers[first:last], batch.coordinates[first:last]
            size = coordinates.numel()
            shifts = STEP * torch.cat([torch.eye(size), -torch.eye(size)]).double()
            displaced = (coordinates.reshape(1, -1) + shifts).reshape(-1, 3)
            states = None if batch.states is None else batch.states[molecule].repeat(2 * size, 1)
            copies = Batch(numbers.repeat(2 * size), displaced, torch.full((2 * size,), last - first), states)
            forces = self.energies_and_forces(copies)[1].reshape(2, size, size)
            hessian = (forces[1] - forces[0]) / (2 * STEP)
            found.append((hessian + hessian.T) / 2)
        return found

    def compute(self, batch: Batch, second: bool) -> tuple[Array, Array, Sequence[Array] | None]:
        """Energies, forces and, if second derivatives are wanted, Hessians of one batch."""
        return *self.energies_and_forces(batch), self.hessians(batch) if second else None

    def predict(self, batch: Batch, derivatives: Derivatives, probes: Tensor | None = None) -> Prediction:
        """Predict for a batch, see `Potential.predict`; products are those of whole Hessians."""
        if derivatives == 0 and probes is None:
            return Prediction(torch.from_numpy(self.energies(batch)))
        energies, forces, matrices = self.compute(batch, derivatives > 1 or probes is not None)
        hessians = None if matrices is None else torch.from_numpy(np.concatenate([*map(np.ravel, matrices)]))
        return Prediction(
            torch.from_numpy(energies),
            torch.from_numpy(forces) if derivatives > 0 else None,
            hessians if derivatives > 1 else None,
            None if probes is None or hessians is None else hessian_products(hessians, batch, probes),
        )
