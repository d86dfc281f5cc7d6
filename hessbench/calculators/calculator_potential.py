"""ASE calculators as potentials."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from ase import Atoms
from ase.calculators.calculator import Calculator

from hessbench.errors import PotentialError
from hessbench.potential.array_potential import ArrayPotential
from hessbench.potential.batch import Batch
from hessbench.potential.evaluation import Array
from hessbench.units import EV

HessianFunction = Callable[[Atoms], Any]
BatchFunction = Callable[[list[Atoms]], Any]


class CalculatorPotential(ArrayPotential):
    """An ASE calculator as a potential: one molecule after the other, or many together where it can.

    Parameters
    ----------
    calculator
        In ASE's units.
    hessian
        Gives second derivatives of one molecule in eV/Angstrom^2, (3 N)^2 elements in any shape; None:
        central differences of forces.
    level
        The level of theory that it reproduces; empty if it does not say.
    together
        Gives energies in eV and forces in eV/Angstrom of many molecules at once; None: one after the other.
        Forces are those of each molecule, or of all atoms one molecule after the other.
    """

    def __init__(
        self,
        calculator: Calculator,
        hessian: HessianFunction | None = None,
        level: str = "",
        together: BatchFunction | None = None,
    ) -> None:
        super().__init__()
        self.calculator = calculator
        self.level = level
        self._hessian = hessian
        self._together = together

    def energies(self, batch: Batch) -> Array:
        """Energies alone, see `ArrayPotential.energies`; errors as of `energies_and_forces`."""
        if self._together is not None:  # its zero of energy counts
            return super().energies(batch)
        energies = np.empty(len(batch))
        for index, atoms in enumerate(self._molecules(batch)):
            with _calling(atoms, "The calculator"):
                own_energy = atoms.get_potential_energy()
            energies[index] = _numbers(atoms, "energy", own_energy, ()) * EV
        return energies

    def energies_and_forces(self, batch: Batch) -> tuple[Array, Array]:
        """Energies and forces, see `ArrayPotential.energies_and_forces`.

        Raises
        ------
        PotentialError
            The calculator fails for a molecule.
        """
        if self._together is not None:
            return self._all_at_once(self._together, self._molecules(batch))
        energies, forces = np.empty(len(batch)), np.empty(batch.coordinates.shape)
        offsets = batch.offsets.tolist()
        for index, (atoms, (first, last)) in enumerate(
            zip(self._molecules(batch), pairwise(offsets), strict=True)
        ):
            with _calling(atoms, "The calculator"):
                own_forces, own_energy = atoms.get_forces(), atoms.get_potential_energy()
            forces[first:last] = _numbers(atoms, "forces", own_forces, (len(atoms), 3)) * EV
            energies[index] = _numbers(atoms, "energy", own_energy, ()) * EV
        return energies, forces

    @property
    def has_own_hessian(self) -> bool:
        """Whether Hessians are the calculator's own, and not differences of its forces."""
        return self._hessian is not None

    def hessians(self, batch: Batch) -> Sequence[Array]:
        """Hessians, see `ArrayPotential.hessians`; those of the calculator are symmetrised.

        Raises
        ------
        PotentialError
            The calculator fails for a molecule, or its second derivatives are not (3 N)^2 numbers.
        """
        if self._hessian is None:
            return super().hessians(batch)
        found = []
        for atoms in self._molecules(batch):
            size = 3 * len(atoms)
            with _calling(atoms, "The calculator's Hessian"):
                own = self._hessian(atoms)
            hessian = _numbers(atoms, "Hessian", own, (size, size)) * EV
            found.append((hessian + hessian.T) / 2)
        return found

    @staticmethod
    def _all_at_once(together: BatchFunction, molecules: list[Atoms]) -> tuple[Array, Array]:
        what = f"The calculator, asked for {len(molecules)} molecules at once,"
        with _calling(molecules[0], what):
            own_energies, own_forces = together(molecules)
            by_molecule = len(own_forces) == len(molecules)
        energies = _numbers(molecules[0], "energies", own_energies, (len(molecules),)) * EV
        if by_molecule:
            parts = zip(molecules, own_forces, strict=True)
            forces = np.concatenate([_numbers(item, "forces", own, (len(item), 3)) for item, own in parts])
        else:
            forces = _numbers(molecules[0], "forces", own_forces, (sum(map(len, molecules)), 3))
        return energies, forces * EV

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


@contextmanager
def _calling(atoms: Atoms, what: str) -> Iterator[None]:
    """Turn whatever a user's code raises into an error that names the molecule."""
    try:
        yield
    except (Exception, SystemExit) as error:
        if isinstance(atoms.calc, Calculator):
            atoms.calc.reset()  # or it gives what it had computed before it failed when it is asked again
        reason = " ".join(str(error).split()) or "no reason given"
        raise PotentialError(
            f"{what} fails for {atoms.get_chemical_formula()}: {type(error).__name__}: {reason}"
        ) from error


def _numbers(atoms: Atoms, what: str, value: Any, shape: tuple[int, ...]) -> Array:
    """Bring what a calculator gives into its shape, where it is only flat or a tensor.

    Raises
    ------
    PotentialError
        It is of another size, or not finite.
    """
    formula = atoms.get_chemical_formula()
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu().numpy()
    try:
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise PotentialError(f"The calculator's {what} of {formula}: no array of numbers.") from None
    if array.size != math.prod(shape):
        expected = f"expected {shape}" if shape else "expected one number"
        advice = "; of several models give the mean" if array.ndim > 2 and what == "Hessian" else ""
        raise PotentialError(
            f"The calculator's {what} of {formula}: shape {array.shape}, {expected}{advice}."
        )
    if not np.isfinite(array).all():
        raise PotentialError(f"The calculator's {what} of {formula}: not finite.")
    return array.reshape(shape)


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
