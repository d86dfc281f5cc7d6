"""Any potential a user brings, as a force field: a Python file that exposes an ASE calculator.

The file defines `calculator`, an ASE calculator or a function without arguments that returns one. It may
define `hessian(atoms)`, which returns second derivatives in eV/Angstrom^2, (3N)^2 elements in any shape; else
a method `get_hessian(atoms)` of the calculator or its property "hessian" is used; else central differences of
forces. Unlike the data and model files this program reads, the file is code and is run: it is the user's own.
"""

import importlib.util
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from ase import Atoms
from ase.calculators.calculator import Calculator, CalculatorError

from hessbench.chemistry.forcefield import ForceFieldError
from hessbench.chemistry.forces import Array, BatchedForces
from hessbench.errors import HessbenchError
from hessbench.potential.batch import Batch
from hessbench.units import EV

NAME = "calculator"
"""What the file must define."""
HESSIAN = "hessian"
"""What it may define."""
STEP = 5e-3
"""Displacement of central differences, Angstrom."""

HessianFunction = Callable[[Atoms], Any]


class CalculatorForceField:
    """An ASE calculator as a force field, one molecule after the other.

    Parameters
    ----------
    calculator
        In ASE's units.
    hessian
        Gives second derivatives of one molecule in eV/Angstrom^2; None: central differences of forces.
    """

    def __init__(self, calculator: Calculator, hessian: HessianFunction | None = None) -> None:
        self.calculator = calculator
        self._hessian = hessian

    def __call__(self, batch: Batch) -> tuple[Array, Array]:
        """Energies and forces, see `ForceField`."""
        energies, forces = np.empty(len(batch)), np.empty(batch.coordinates.shape)
        offsets = batch.offsets.tolist()
        for index, (atoms, (first, last)) in enumerate(
            zip(self._molecules(batch), pairwise(offsets), strict=True)
        ):
            try:
                forces[first:last] = np.asarray(atoms.get_forces()) * EV
                energies[index] = float(atoms.get_potential_energy()) * EV
            except (CalculatorError, RuntimeError, ArithmeticError) as error:
                raise ForceFieldError(
                    f"The calculator fails for {atoms.get_chemical_formula()}: {error}"
                ) from error
        return energies, forces

    def hessians(self, batch: Batch) -> list[Array]:
        """Hessians, see `ForceField`; symmetrised."""
        if self._hessian is None:
            return difference_hessians(self, batch)
        found = []
        for atoms in self._molecules(batch):
            size = 3 * len(atoms)
            try:
                hessian = np.asarray(self._hessian(atoms), dtype=float)
            except (CalculatorError, RuntimeError, ArithmeticError) as error:
                raise ForceFieldError(
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
            Atoms(
                batch.numbers[first:last].numpy(),
                batch.coordinates[first:last].double().numpy(),
                calculator=self.calculator,
            )
            for first, last in pairwise(batch.offsets.tolist())
        ]


def difference_hessians(forces: BatchedForces, batch: Batch, step: float = STEP) -> list[Array]:
    """Symmetrised central differences of forces, all displacements of a molecule in one call.

    Parameters
    ----------
    forces
        Any potential.
    batch
        M molecules.
    step
        Displacement, Angstrom.

    Returns
    -------
    list of ndarray
        (3N, 3N) for each molecule, kcal/mol/Angstrom^2.
    """
    hessians = []
    for first, last in pairwise(batch.offsets.tolist()):
        numbers, coordinates = batch.numbers[first:last], batch.coordinates[first:last].double()
        size = coordinates.numel()
        shifts = step * torch.cat([torch.eye(size), -torch.eye(size)]).double()
        displaced = (coordinates.reshape(1, -1) + shifts).reshape(-1, 3)
        copies = Batch(numbers.repeat(2 * size), displaced, torch.full((2 * size,), last - first))
        found = forces(copies)[1].reshape(2, size, size)
        hessian = (found[1] - found[0]) / (2 * step)
        hessians.append((hessian + hessian.T) / 2)
    return hessians


def load_calculator(path: Path) -> CalculatorForceField:
    """Run a user's file and take the calculator it defines.

    Raises
    ------
    HessbenchError
        There is no such file, running it fails, or it does not define what it must.
    """
    module = _run(path)
    calculator: Any = getattr(module, NAME, None)
    if calculator is not None and not hasattr(calculator, "get_forces") and callable(calculator):
        calculator = calculator()
    if not hasattr(calculator, "get_forces"):
        raise HessbenchError(
            f"{path}: define `{NAME}`, an ASE calculator or a function without arguments that returns one."
        )
    hessian = getattr(module, HESSIAN, None)
    if hessian is not None and not callable(hessian):
        raise HessbenchError(f"{path}: `{HESSIAN}` must be a function of an ase.Atoms.")
    return CalculatorForceField(calculator, hessian or _own_hessian(calculator))


def _own_hessian(calculator: Any) -> HessianFunction | None:
    """Look for the Hessian a calculator offers by itself."""
    if callable(getattr(calculator, "get_hessian", None)):
        return lambda atoms: calculator.get_hessian(atoms)
    if HESSIAN in getattr(calculator, "implemented_properties", ()):
        return lambda atoms: calculator.get_property(HESSIAN, atoms)
    return None


def _run(path: Path) -> ModuleType:
    specification = importlib.util.spec_from_file_location(f"hessbench_user_{path.stem}", path)
    if not path.is_file() or specification is None or specification.loader is None:
        raise HessbenchError(f"{path}: no such Python file; give one that defines `{NAME}`.")
    module = importlib.util.module_from_spec(specification)
    try:
        specification.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise HessbenchError(f"{path}: cannot be run ({type(error).__name__}: {error}).") from error
    return module
