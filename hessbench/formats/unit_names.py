"""Units that data files use, by name, and what they are in kcal/mol and Angstrom."""

import re
from dataclasses import dataclass, fields

from hessbench.errors import HessbenchError
from hessbench.units import BOHR, EV, HARTREE

ENERGIES = {"Eh": HARTREE, "eV": EV, "kcal/mol": 1.0, "kJ/mol": 1 / 4.184}
"""Units of energy in kcal/mol."""
LENGTHS = {"Angstrom": 1.0, "bohr": BOHR}
"""Units of length in Angstrom."""
ORDERS = {"energies": 0, "forces": 1, "hessians": 2}
"""How often each quantity is differentiated by a coordinate."""


@dataclass(frozen=True)
class Units:
    """Units in which a file holds each quantity; None where nothing says which.

    Attributes
    ----------
    coordinates
        One of `LENGTHS`.
    energies, forces, hessians
        Such as "Eh", "eV/Angstrom", "Eh/bohr^2".
    """

    coordinates: str | None = None
    energies: str | None = None
    forces: str | None = None
    hessians: str | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            name = getattr(self, field.name)
            if name is not None:
                unit_size(field.name, name)

    def size(self, quantity: str) -> float:
        """Size of the unit of a quantity in kcal/mol and Angstrom; 1 where it is not known."""
        name: str | None = getattr(self, quantity)
        return 1.0 if name is None else unit_size(quantity, name)


def unit_size(quantity: str, name: str) -> float:
    """Size of a unit in kcal/mol and Angstrom.

    Parameters
    ----------
    quantity
        "coordinates", "energies", "forces" or "hessians".
    name
        Of the unit, e.g. "Eh/bohr^2" for Hessians.

    Raises
    ------
    HessbenchError
        There is no such unit for this quantity.
    """
    units = known_units(quantity)
    if name not in units:
        raise HessbenchError(f"unknown unit {name!r} of {quantity}; known are {', '.join(units)}.")
    return units[name]


def known_units(quantity: str) -> dict[str, float]:
    """Names and sizes of all units of a quantity."""
    if quantity == "coordinates":
        return LENGTHS
    order = ORDERS[quantity]
    if order == 0:
        return ENERGIES
    power = "" if order == 1 else f"^{order}"
    return {
        f"{energy}/{length}{power}": ENERGIES[energy] / LENGTHS[length] ** order
        for energy in ENERGIES
        for length in LENGTHS
        if (energy, length) != ("kJ/mol", "bohr")  # used by nobody, and hard to tell from kcal/mol/Angstrom^2
    }


_SPELLINGS = {
    "Eh": ("eh", "ha", "hartree", "hartrees", "e_h"),
    "eV": ("ev", "electronvolt"),
    "kcal/mol": ("kcal/mol", "kcalmol", "kcal"),
    "kJ/mol": ("kj/mol", "kjmol", "kj"),
    "Angstrom": ("angstrom", "angstroms", "ang", "a", "å"),
    "bohr": ("bohr", "bohrs", "a0", "a_0"),
}
_NAMES = {spelling: name for name, spellings in _SPELLINGS.items() for spelling in spellings}
_ATOMIC = ("au", "a.u.", "atomic")


def parse_unit(quantity: str, text: str) -> str | None:
    """Name of a unit, however it is spelt ("Hartree/Bohr^2" for Hessians); None if it is none of ours."""
    words = re.sub(r"\s|\*\*|\^|²|\(|\)", "", text.lower()).removesuffix("2")
    if words in _ATOMIC:
        words = {"coordinates": "bohr", "energies": "eh", "forces": "eh/bohr"}.get(quantity, "eh/bohr")
    if quantity in ("coordinates", "energies"):
        return next((name for name in (_NAMES.get(words),) if name in known_units(quantity)), None)
    energy, _, length = words.rpartition("/")
    name = f"{_NAMES.get(energy)}/{_NAMES.get(length)}{'^2' if quantity == 'hessians' else ''}"
    return name if name in known_units(quantity) else None
