"""Levels of theory by name, and the programs behind them."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes

from hessbench import __version__
from hessbench.chemistry.level import Level, LevelError
from hessbench.chemistry.xtb import XTB
from hessbench.data.states import lowest_multiplicity, state_problem
from hessbench.errors import HessbenchError
from hessbench.system.machine import versions_of
from hessbench.units import EV


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


def make_level(name: str, numbers: np.ndarray, charge: int = 0, multiplicity: int | None = None) -> Level:
    """Make the object of a level for one molecule; without a multiplicity, the lowest one.

    Raises
    ------
    HessbenchError
        There is no level of this name, or the electrons cannot have that multiplicity.
    """
    if name not in LEVELS:
        raise HessbenchError(f"Unknown level of theory {name!r}; choose one of {', '.join(LEVELS)}.")
    if multiplicity is None:
        multiplicity = lowest_multiplicity(numbers, charge)
    if (wrong := state_problem(numbers, charge, multiplicity)) is not None:
        raise LevelError(f"{name}: {wrong}")
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
    return versions_of(("hessbench", "numpy", "scipy", "ase", "tblite", "sella", "pyscf"))


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
