"""ASE calculators as potentials."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, CalculatorError

from hessbench.errors import HessbenchError, PotentialError
from hessbench.potential.array_potential import ArrayPotential
from hessbench.potential.batch import Batch
from hessbench.potential.evaluation import Array
from hessbench.units import EV

HessianFunction = Callable[[Atoms], Any]


class CalculatorPotential(ArrayPotential):
    """An ASE calculator as a potential, one molecule after the other.

    Parameters
    ----------
    calculator
        In ASE's units.
    hessian
        Gives second derivatives of one molecule in eV/Angstrom^2, (3 N)^2 elements in any shape; None:
        central differences of forces.
    """

    def __init__(self, calculator: Calculator, hessian: HessianFunction | None = None) -> None:
        super().__init__()
        self.calculator = calculator
        self._hessian = hessian

    def energies_and_forces(self, batch: Batch) -> tuple[Array, Array]:
        """Energies and forces, see `ArrayPotential.energies_and_forces`.

        Raises
        ------
        PotentialError
            The calculator fails for a molecule.
        """
        energies, forces = np.empty(len(batch)), np.empty(batch.coordinates.shape)
        offsets = batch.offsets.tolist()
        for index, (atoms, (first, last)) in enumerate(
            zip(self._molecules(batch), pairwise(offsets), strict=True)
        ):
            try:
                forces[first:last] = np.asarray(atoms.get_forces()) * EV
                energies[index] = float(atoms.get_potential_energy()) * EV
            except (CalculatorError, RuntimeError, ArithmeticError) as error:
                raise PotentialError(
                    f"The calculator fails for {atoms.get_chemical_formula()}: {error}"
                ) from error
        return energies, forces

    def hessians(self, batch: Batch) -> Sequence[Array]:
        """Hessians, see `ArrayPotential.hessians`; those of the calculator are symmetrised.

        Raises
        ------
        PotentialError
            The calculator fails for a molecule.
        HessbenchError
            Its second derivatives are not (3 N)^2.
        """
        if self._hessian is None:
            return super().hessians(batch)
        found = []
        for atoms in self._molecules(batch):
            size = 3 * len(atoms)
            try:
                hessian = np.asarray(self._hessian(atoms), dtype=float)
            except (CalculatorError, RuntimeError, ArithmeticError) as error:
                raise PotentialError(
                    f"The calculator's Hessian fails for {atoms.get_chemical_formula()}: {error}"
                ) from error
            if hessian.size != size**2:
                raise HessbenchError(
                    f"The calculator's Hessian of {atoms.get_chemical_formula()} has the shape "
                    f"{hessian.shape}; expected {size}^2 elements."
                )
            hessian = hessian.reshape(size, size) * EV
            found.append((hessian + hessian.T) / 2)
        return found

    def _molecules(self, batch: Batch) -> list[Atoms]:
        return [
            molecule(
                batch.numbers[first:last].numpy(),
                batch.coordinates[first:last].numpy(),
                *batch.state(index),
                self.calculator,
            )
            for index, (first, last) in enumerate(pairwise(batch.offsets.tolist()))
        ]


def molecule(
    numbers: Array, coordinates: Array, charge: int, multiplicity: int, calculator: Calculator | None = None
) -> Atoms:
    """Make a molecule that tells its charge and multiplicity in all the ways in which calculators ask.

    Models (fairchem's, AIMNet2, MACE) read `info["charge"]` and `info["spin"]`, which is the multiplicity;
    programs through ASE add up initial charges and magnetic moments, here spread evenly over the atoms.

    Parameters
    ----------
    numbers, coordinates
        (N,), (N, 3) in Angstrom.
    charge, multiplicity
        Total charge and 2S + 1.
    calculator
        To attach.
    """
    info = {"charge": charge, "spin": multiplicity, "multiplicity": multiplicity}
    atoms = Atoms(numbers, coordinates, info=info, calculator=calculator)
    if charge:
        atoms.set_initial_charges(np.full(len(atoms), charge / len(atoms)))
    if multiplicity > 1:
        atoms.set_initial_magnetic_moments(np.full(len(atoms), (multiplicity - 1) / len(atoms)))
    return atoms
