"""Starting geometries from an archive of Q-Chem logs, as published by Grambow et al. (Zenodo 3715478).

The archive holds `<folder>/rxnNNNNNN/` with `rNNNNNN.log`, `tsNNNNNN.log` and `pNNNNNN.log`: an optimization
and a frequency calculation each, all in one atom order. The last geometry printed is the optimised one.
"""

import re
import tarfile
from pathlib import Path

import numpy as np
from ase.data import atomic_numbers
from tqdm import tqdm

from hessbench.errors import DataError
from hessbench.reactions.geometries import ROLES, ReactionGeometries
from hessbench.system.reading import reading

MEMBER = re.compile(r"(?:^|/)(rxn(\d+))/(r|ts|p)\2\.log$")
PREFIXES = {"r": "R", "ts": "TS", "p": "P"}
LARGEST = 100_000_000
"""Bytes of a log."""
HEADING = "Standard Nuclear Orientation (Angstroms)"
ATOM = re.compile(r"\s*\d+\s+([A-Z][a-z]?)\s+(-?\d+\.\d+)\s+(-?\d+\.\d+)\s+(-?\d+\.\d+)\s*$")


def read_archive(path: Path) -> list[ReactionGeometries]:
    """Read the optimised geometries of all reactions in a tar archive of logs.

    Raises
    ------
    DataError
        The archive is missing, damaged or holds no such logs, a log has no geometry, or the structures of a
        reaction differ in their atoms.
    """
    structures: dict[str, dict[str, tuple[np.ndarray, np.ndarray]]] = {}
    with reading(path, "not a readable archive, or a truncated one"), tarfile.open(path, "r:*") as archive:
        for member in tqdm(archive, desc=f"read {path.name}", unit="file", delay=2):
            match = MEMBER.search(member.name)
            file = archive.extractfile(member) if match and member.isfile() else None
            if match and member.size > LARGEST:
                raise DataError(path, f"{member.name} has {member.size} bytes, which no log has.", match[1])
            if match and file:
                text = file.read().decode("utf-8", "replace")
                try:
                    geometry = last_geometry(text)
                except ValueError as error:
                    raise DataError(path, f"{member.name}: {error}.", match[1]) from None
                structures.setdefault(match[1], {})[PREFIXES[match[3]]] = geometry
    if not structures:
        raise DataError(path, "no logs named rxnNNNNNN/rNNNNNN.log, tsNNNNNN.log or pNNNNNN.log in it.")
    reactions = []
    for name in sorted(structures):
        found = {role: structures[name][role] for role in ROLES if role in structures[name]}
        numbers = next(iter(found.values()))[0]
        if any(not np.array_equal(numbers, other) for other, _ in found.values()):
            raise DataError(path, "its structures differ in their atoms or the order of them.", name)
        coordinates = {role: geometry[1] for role, geometry in found.items()}
        reactions.append(ReactionGeometries(name, numbers, coordinates))
    return reactions


def last_geometry(text: str) -> tuple[np.ndarray, np.ndarray]:
    """Find the last geometry in a Q-Chem log.

    Returns
    -------
    numbers
        (N,) atomic numbers.
    coordinates
        (N, 3), Angstrom.

    Raises
    ------
    ValueError
        There is none.
    """
    atoms = []
    # A line of column titles and one of dashes follow the heading.
    for line in text[text.rfind(HEADING) :].splitlines()[3:] if HEADING in text else []:
        match = ATOM.match(line)
        if not match:
            break
        if match[1] not in atomic_numbers:
            raise ValueError(f"unknown element {match[1]}")
        atoms.append((atomic_numbers[match[1]], *(float(match[index]) for index in (2, 3, 4))))
    if not atoms:
        raise ValueError("no geometry found")
    table = np.array(atoms)
    return table[:, 0].astype(np.uint8), table[:, 1:]
