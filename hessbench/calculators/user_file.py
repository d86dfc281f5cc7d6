"""Any potential a user brings: a Python file, or a module of a package, that has an ASE calculator.

The file defines `calculator`: an ASE calculator, or a class or function that gives one. A class or function
that has a parameter `device` is given the device of params.yaml, "cpu" or "cuda:0". The file may define
`hessian(atoms)`, which returns second derivatives in eV/Angstrom^2, (3N)^2 elements in any shape; else a
method `get_hessian(atoms)` or `get_hessian()` of the calculator or its property "hessian" is used; else
central differences of forces. It or the calculator may define `energies_and_forces(structures)`, which is
given a list of ase.Atoms and returns energies in eV and forces in eV/Angstrom of all, those of each molecule
or of all atoms in one array; then displaced molecules, images of a band and molecules that are heated
together go there at once. It may state the level of theory that it reproduces, `level = "wB97X-D/6-31G(d)"`.
What lies beside the file can be imported by it. In place of a file,
`package.module:name` names such a `calculator` of a module. Unlike the data and model files this program
reads, both are code and are run: it is the user's own.
"""

import hashlib
import importlib
import importlib.util
import inspect
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from ase import Atoms

from hessbench.calculators.calculator_potential import CalculatorPotential, HessianFunction
from hessbench.errors import HessbenchError

NAME = "calculator"
"""What the file must define."""
HESSIAN, LEVEL, TOGETHER = "hessian", "level", "energies_and_forces"
"""What it may define."""
DEVICE = "device"
"""The parameter that a class or function may have."""


def load_calculator(source: Path | str, device: str = "cpu") -> CalculatorPotential:
    """Run a user's file, or import a module, and take the calculator it defines.

    Parameters
    ----------
    source
        A file, or `package.module:name`.
    device
        What its class or function is given as `device`, if it has such a parameter.

    Raises
    ------
    HessbenchError
        There is no such file or module, running it fails, or it does not define what it must.
    """
    module, name = _module(source)
    calculator: Any = getattr(module, name, None)
    if isinstance(calculator, type) or (not hasattr(calculator, "get_forces") and callable(calculator)):
        try:
            calculator = calculator(**({DEVICE: device} if _asks_for_device(calculator) else {}))
        except (Exception, SystemExit) as error:
            raise HessbenchError(f"{source}: `{name}()` fails ({type(error).__name__}: {error}).") from error
    if not hasattr(calculator, "get_forces"):
        raise HessbenchError(
            f"{source}: define `{name}`, an ASE calculator, or a class or function that gives one when "
            f"called without arguments, or with `{DEVICE}`."
        )
    hessian, level = getattr(module, HESSIAN, None), getattr(module, LEVEL, None)
    together = getattr(module, TOGETHER, None) or getattr(calculator, TOGETHER, None)
    if hessian is not None and not callable(hessian):
        raise HessbenchError(f"{source}: `{HESSIAN}` must be a function of an ase.Atoms.")
    if together is not None and not callable(together):
        raise HessbenchError(f"{source}: `{TOGETHER}` must be a function of a list of ase.Atoms.")
    if level is not None and not isinstance(level, str):
        raise HessbenchError(f"{source}: `{LEVEL}` must be the name of a level of theory, as text.")
    hessian = hessian or _own_hessian(calculator)
    return CalculatorPotential(calculator, hessian, (level or "").strip(), together)


def name_of(source: Path | str) -> str:
    """What a calculator is called where no name is given: its file, or the last part of its module."""
    module, name = _parts(source)
    if not name:
        return Path(source).stem
    return module.rpartition(".")[2] if name == NAME else name


def digest_of(source: Path | str) -> str:
    """Digest of a user's code: of the file, or of that of the module.

    Raises
    ------
    HessbenchError
        There is none.
    """
    module, name = _parts(source)
    found = importlib.util.find_spec(module) if name else None
    path = Path(found.origin) if found and found.origin else Path(source)
    if not path.is_file():
        raise HessbenchError(f"{source}: no such file or module.")
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def _parts(source: Path | str) -> tuple[str, str]:
    """Module and name of `package.module:name`; of a file, two empty texts."""
    module, colon, name = str(source).rpartition(":")
    named = colon and name.isidentifier() and all(part.isidentifier() for part in module.split("."))
    return (module, name) if named and not Path(source).exists() else ("", "")


def _module(source: Path | str) -> tuple[ModuleType, str]:
    """The module of a user's code, and the name of the calculator in it."""
    module, name = _parts(source)
    if not name:
        return _run(Path(source)), NAME
    try:
        return importlib.import_module(module), name
    except (Exception, SystemExit) as error:
        raise HessbenchError(f"{source}: cannot be imported ({type(error).__name__}: {error}).") from error


def _asks_for_device(calculator: Any) -> bool:
    try:
        return DEVICE in inspect.signature(calculator).parameters
    except ValueError:  # of a class that is not written in Python
        return False


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
    """Run a file as Python runs a program: what lies beside it comes first when it imports."""
    name = f"hessbench_user_{path.stem}"
    specification = importlib.util.spec_from_file_location(name, path)
    if not path.is_file() or specification is None or specification.loader is None:
        raise HessbenchError(
            f"{path}: no such Python file; give one that defines `{NAME}`, or package.module:name."
        )
    module = importlib.util.module_from_spec(specification)
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    sys.modules[name] = module  # where dataclasses and pickle look for it
    try:
        specification.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise HessbenchError(f"{path}: cannot be run ({type(error).__name__}: {error}).") from error
    return module
