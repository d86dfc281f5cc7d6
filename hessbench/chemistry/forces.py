"""Energies and forces of a batch of molecules from any potential: all that dynamics needs to know of it."""

from collections.abc import Callable

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator
from numpy.typing import NDArray

from hessbench.potential.batch import Batch
from hessbench.units import EV

Array = NDArray[np.float64]
BatchedForces = Callable[[Batch], tuple[Array, Array]]
"""Takes M molecules with A atoms in all, coordinates in float64; gives energies (M,) in kcal/mol, up to
a constant of each molecule, and forces (A, 3) in kcal/mol/Angstrom. A `ForceField` is one."""


def calculator_forces(calculator: Calculator) -> BatchedForces:
    """Use an ASE calculator (eV), one molecule after the other."""

    def forces(batch: Batch) -> tuple[Array, Array]:
        energies, gradients = [], []
        for first, last in zip(batch.offsets[:-1].tolist(), batch.offsets[1:].tolist(), strict=True):
            atoms = Atoms(batch.numbers[first:last].numpy(), batch.coordinates[first:last].double().numpy())
            atoms.calc = calculator
            energies.append(atoms.get_potential_energy() * EV)
            gradients.append(atoms.get_forces() * EV)
        return np.array(energies), np.concatenate(gradients)

    return forces
