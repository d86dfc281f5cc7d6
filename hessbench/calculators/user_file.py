"""Any potential a user brings: a Python file that exposes an ASE calculator.

The file defines `calculator`, an ASE calculator or a function without arguments that returns one. It may
define `hessian(atoms)`, which returns second derivatives in eV/Angstrom^2, (3N)^2 elements in any shape; else
a method `get_hessian(atoms)` or `get_hessian()` of the calculator or its property "hessian" is used; else
central differences of forces. Unlike the data and model files this program reads, the file is code and is
run: it is the user's own.
"""

import importlib.util
import inspect
from pathlib import Path
from types import ModuleType
from typing import Any

from ase import Atoms

from hessbench.calculators.calculator_potential import CalculatorPotential, HessianFunction
from hessbench.errors import HessbenchError

NAME = "calculator"
"""What the file must define."""
HESSIAN = "hessian"
"""What it may define."""


def load_calculator(path: Path) -> CalculatorPotential:
    """Run a user's file and take the calculator it defines.

    Raises
    ------
    HessbenchError
        There is no such file, running it fails, or it does not define what it must.
    """
    module = _run(path)
    calculator: Any = getattr(module, NAME, None)
    if calculator is not None and not hasattr(calculator, "get_forces") and callable(calculator):
        try:
            calculator = calculator()
        except (Exception, SystemExit) as error:
            raise HessbenchError(f"{path}: `{NAME}()` fails ({type(error).__name__}: {error}).") from error
    if not hasattr(calculator, "get_forces"):
        raise HessbenchError(
            f"{path}: define `{NAME}`, an ASE calculator or a function without arguments that returns one."
        )
    hessian = getattr(module, HESSIAN, None)
    if hessian is not None and not callable(hessian):
        raise HessbenchError(f"{path}: `{HESSIAN}` must be a function of an ase.Atoms.")
    return CalculatorPotential(calculator, hessian or _own_hessian(calculator))


def _own_hessian(calculator: Any) -> HessianFunction | None:
    """Look for the Hessian a calculator offers by itself."""
    if callable(getattr(calculator, "get_hessian", None)):
        if inspect.signature(calculator.get_hessian).parameters:
            return lambda atoms: calculator.get_hessian(atoms)

        def of_last_atoms(atoms: Atoms) -> Any:
            calculator.get_potential_energy(atoms)
            return calculator.get_hessian()

        return of_last_atoms
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
