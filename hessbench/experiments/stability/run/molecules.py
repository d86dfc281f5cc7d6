"""Molecules to heat: frames of extended XYZ with a name each, neutral and not periodic."""

from pathlib import Path

import numpy as np
from ase import Atoms
from ase.io import read

from hessbench.data.states import CHARGE, HALF, MULTIPLICITY, lowest_multiplicity
from hessbench.errors import DataError
from hessbench.system.reading import reading
from hessbench.system.trial import tried


def read_molecules(path: Path) -> dict[str, Atoms]:
    """Read the starting structures, frames of an extxyz file with a `name` each.

    Raises
    ------
    DataError
        The file is missing or unreadable, not all of it is read, or a frame has no name of its own, is
        periodic, is no neutral molecule in its lowest multiplicity, or has coordinates that are no numbers.
    """
    missing = "does not exist; `hessbench generate md17` makes it."
    with reading(path, "not a readable extxyz file", missing=missing):
        tried(path, lambda: read(path, index=":", format="extxyz"))
        frames = read(path, index=":", format="extxyz")
        lines = path.read_text(encoding="utf-8").rstrip().count("\n") + 1
    if not frames:
        raise DataError(path, "holds no structures; `hessbench generate md17` makes them.")
    molecules: dict[str, Atoms] = {}
    for index, atoms in enumerate(frames):
        if problem := _problem(atoms):
            raise DataError(path, f"frame {index} {problem}.")
        name = str(atoms.info["name"])
        if name in molecules:
            raise DataError(
                path, f"frame {index} is called {name}, as one before it; give each its own name."
            )
        molecules[name] = atoms
    if lines > sum(len(atoms) + 2 for atoms in frames):  # ASE reads no further than an empty line
        raise DataError(
            path, f"an empty line follows frame {len(frames) - 1}, and more after it; remove that line."
        )
    return molecules


def _problem(atoms: Atoms) -> str:
    """What keeps a frame from being heated as a molecule of its own; empty if nothing."""
    name = atoms.info.get("name")
    if atoms.pbc.any():
        return "is periodic, but molecules are heated; leave out Lattice, VEC and pbc"
    if name is None:
        return "has no name; write name=ethanol, or what it is, into its second line"
    if not isinstance(name, str | np.integer) or "/" in str(name) or not str(name):
        return f"is called {str(name)!r}; give it a name that begins with a letter and has no slash"
    if not np.isfinite(atoms.positions).all():
        return f"({name}) has coordinates that are no numbers; correct them"
    if (atoms.numbers < 1).any():
        return f"({name}) has an atom X, which is no element; name the element or leave it out"
    return _problem_of_state(atoms)


def _problem_of_state(atoms: Atoms) -> str:
    """What gives a frame another charge or multiplicity than dynamics takes it to have; empty if nothing."""
    usual = dict.fromkeys(CHARGE, 0) | dict.fromkeys(MULTIPLICITY, lowest_multiplicity(atoms.numbers))
    charges = float(atoms.get_initial_charges().sum())
    moments = abs(float(atoms.get_initial_magnetic_moments().sum()))
    stated = [(key, atoms.info[key], usual[key]) for key in usual if key in atoms.info]
    if abs(charges) > HALF:
        stated.append(("initial_charges of sum", round(charges, 3), 0))
    if moments > HALF:
        stated.append(("initial_magmoms for multiplicity", round(moments) + 1, usual["multiplicity"]))
    for key, value, expected in stated:
        if not isinstance(value, int | float | np.number) or value != expected:
            return (
                f"({atoms.info['name']}) has {key} {value}, but molecules are heated neutral and in their "
                f"lowest multiplicity ({key} {expected}); leave it out"
            )
    return ""
