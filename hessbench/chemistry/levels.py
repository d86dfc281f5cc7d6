"""Levels of theory: energy, gradient and Hessian of one molecule, registered by name.

A level converts from the units of its program to kcal/mol and Angstrom. An object of a level belongs to one
molecule and may keep its last wave function for the next geometry, so results depend (within the convergence
threshold of the SCF) on the geometries seen before; generate makes a new object for each reaction, so that
nothing depends on the number of workers or on where a run was interrupted.
"""

import functools
import importlib.metadata
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from tblite.exceptions import TBLiteRuntimeError
from tblite.interface import Calculator as TBLiteCalculator
from tblite.interface import Result

from hessbench import __version__
from hessbench.errors import HessbenchError
from hessbench.units import BOHR, EV, HARTREE

HESSIAN_STEP = 5e-3 * BOHR
"""Displacement of central differences, Angstrom."""

FORWARD_STEP = 1e-3 * BOHR
"""Displacement of forward differences, Angstrom: shorter, because their error is linear in it."""


class LevelError(HessbenchError):
    """A single point failed, e.g. its SCF did not converge."""


class Level(Protocol):
    """Energy and derivatives of one molecule."""

    name: str
    numbers: np.ndarray

    def gradient(self, coordinates: np.ndarray) -> tuple[float, np.ndarray]:
        """Energy (kcal/mol) and gradient (N, 3) (kcal/mol/Angstrom) at coordinates (N, 3) (Angstrom).

        Raises
        ------
        LevelError
            The calculation failed.
        """
        ...

    def hessian(self, coordinates: np.ndarray) -> np.ndarray:
        """Hessian (3N, 3N), kcal/mol/Angstrom^2, symmetric.

        Raises
        ------
        LevelError
            The calculation failed.
        """
        ...


class XTB:
    """An extended tight-binding method through tblite.

    Parameters
    ----------
    method
        Name known to tblite, "GFN2-xTB" or "GFN1-xTB".
    numbers
        (N,) atomic numbers.
    charge, multiplicity
        Of the molecule.
    accuracy
        Of tblite: the SCF converges to accuracy x 1e-6 Eh.
    """

    def __init__(
        self, method: str, numbers: np.ndarray, charge: int = 0, multiplicity: int = 1, accuracy: float = 0.1
    ) -> None:
        self.name = method
        self.numbers = np.asarray(numbers)
        self._options: dict[str, Any] = {"charge": charge, "uhf": multiplicity - 1}
        self._accuracy = accuracy
        self._calculator: TBLiteCalculator | None = None
        self._result: Result | None = None

    def gradient(self, coordinates: np.ndarray) -> tuple[float, np.ndarray]:
        """Energy and gradient, see `Level.gradient`."""
        self._result = self._single_point(coordinates, self._result)
        return (
            float(self._result["energy"]) * HARTREE,
            np.array(self._result["gradient"]) * (HARTREE / BOHR),
        )

    def hessian(self, coordinates: np.ndarray) -> np.ndarray:
        """Hessian by central differences of gradients, see `Level.hessian`."""
        return central_difference_hessian(self.gradient, coordinates)

    def _single_point(self, coordinates: np.ndarray, guess: Result | None) -> Result:
        try:
            if self._calculator is None:
                self._calculator = TBLiteCalculator(
                    self.name, self.numbers, coordinates / BOHR, **self._options
                )
                self._calculator.set("verbosity", 0)
                self._calculator.set("accuracy", self._accuracy)
            else:
                self._calculator.update(np.ascontiguousarray(coordinates / BOHR))
            return self._calculator.singlepoint(guess)
        except TBLiteRuntimeError as error:
            if guess is not None:
                # A bad start can keep an SCF from converging that converges from the default guess.
                return self._single_point(coordinates, None)
            self._result = None
            raise LevelError(f"{self.name}: {error}") from error


def central_difference_hessian(
    gradient: Callable[[np.ndarray], tuple[float, np.ndarray]],
    coordinates: np.ndarray,
    step: float = HESSIAN_STEP,
) -> np.ndarray:
    """Symmetrised central differences of a gradient.

    Parameters
    ----------
    gradient
        Gives energy and gradient (N, 3) at coordinates (N, 3).
    coordinates
        (N, 3), Angstrom.
    step
        Displacement, Angstrom.

    Returns
    -------
    ndarray
        (3N, 3N), kcal/mol/Angstrom^2.
    """
    rows = np.empty((coordinates.size, coordinates.size))
    for index in range(coordinates.size):
        displaced = coordinates.copy()
        displaced.flat[index] = coordinates.flat[index] + step
        forward = gradient(displaced)[1]
        displaced.flat[index] = coordinates.flat[index] - step
        rows[index] = (forward - gradient(displaced)[1]).ravel() / (2 * step)
    return (rows + rows.T) / 2


def forward_difference_hessian(
    gradient: Callable[[np.ndarray], tuple[float, np.ndarray]],
    coordinates: np.ndarray,
    step: float = FORWARD_STEP,
) -> np.ndarray:
    """Hessian at half the cost of central differences, good enough to start an optimization from.

    Parameters and returned array as in `central_difference_hessian`.
    """
    reference = gradient(coordinates)[1].ravel()
    rows = np.empty((coordinates.size, coordinates.size))
    for index in range(coordinates.size):
        displaced = coordinates.copy()
        displaced.flat[index] += step
        rows[index] = (gradient(displaced)[1].ravel() - reference) / step
    return (rows + rows.T) / 2


def _wb97xd(numbers: np.ndarray, density_fitting: bool, **options: Any) -> Level:
    """Make the level of `hessbench.chemistry.dft`, whose libraries come with the extra `dft` only."""
    try:
        from hessbench.chemistry.dft import WB97XD
    except ModuleNotFoundError as error:
        if error.name and error.name.startswith("hessbench"):
            raise
        raise HessbenchError(
            f"wB97X-D/6-31G(d) needs {error.name}: python -m pip install 'hessbench[dft]'."
        ) from error
    return WB97XD(numbers, density_fitting=density_fitting, **options)


LEVELS: dict[str, Callable[..., Level]] = {
    "GFN2-xTB": lambda numbers, **options: XTB("GFN2-xTB", numbers, **options),
    "GFN1-xTB": lambda numbers, **options: XTB("GFN1-xTB", numbers, **options),
    "wB97X-D/6-31G(d)": lambda numbers, **options: _wb97xd(numbers, False, **options),
    "DF-wB97X-D/6-31G(d)": lambda numbers, **options: _wb97xd(numbers, True, **options),
}
"""Constructors by name; each takes the atomic numbers and optionally charge and multiplicity."""


def make_level(name: str, numbers: np.ndarray, charge: int = 0, multiplicity: int = 1) -> Level:
    """Make the object of a level for one molecule.

    Raises
    ------
    HessbenchError
        There is no level of this name.
    """
    if name not in LEVELS:
        raise HessbenchError(f"Unknown level of theory {name!r}; choose one of {', '.join(LEVELS)}.")
    return LEVELS[name](numbers, charge=charge, multiplicity=multiplicity)


def require_level(name: str) -> None:
    """Find out whether a level can be had here, before any work begins.

    Raises
    ------
    HessbenchError
        There is no level of this name, or the program that computes it is not installed.
    """
    make_level(name, np.array([1, 1]))


@functools.cache
def versions() -> dict[str, str]:
    """Versions of the programs on which structures and labels depend; "missing" if not installed."""
    found = {"hessbench": __version__}
    for package in ("numpy", "scipy", "ase", "tblite", "sella", "pyscf"):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "missing"
    return found


def generator(level: str) -> str:
    """Name the programs by which structures are found and labelled at a level, with their versions."""
    packages = ("tblite" if "xTB" in level else "pyscf", "sella", "ase")
    programs = ", ".join(f"{package} {versions()[package]}" for package in packages)
    return f"hessbench {__version__} ({programs})"


class LevelCalculator(Calculator):
    """A level as an ASE calculator (eV), for the optimizers."""

    implemented_properties = ["energy", "forces"]  # noqa: RUF012 (ASE's interface)

    def __init__(self, level: Level) -> None:
        super().__init__()
        self.level = level

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: list[str] | None = None,
        system_changes: list[str] = all_changes,
    ) -> None:
        """Compute energy and forces at once."""
        super().calculate(atoms, properties or ["energy"], system_changes)
        energy, gradient = self.level.gradient(self.get_atoms().positions)
        self.results = {"energy": energy / EV, "forces": -gradient / EV}
