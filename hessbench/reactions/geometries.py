"""Starting geometries of reactions: reactant (R), transition state (TS) and product (P) in one atom order."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hessbench.errors import DataError
from hessbench.system.npz import check_sizes
from hessbench.system.reading import reading

ROLES = ("R", "TS", "P")


@dataclass(frozen=True)
class ReactionGeometries:
    """Geometries of one reaction.

    Attributes
    ----------
    name
        `rxnNNNNNN`.
    numbers
        (N,) atomic numbers, the same order in all structures.
    coordinates
        Role ("R", "TS", "P") to (N, 3) coordinates in Angstrom; a missing structure has no entry.
    """

    name: str
    numbers: np.ndarray
    coordinates: dict[str, np.ndarray]


def reaction_name(index: int) -> str:
    """Name of the reaction with this number in the data set of Grambow et al."""
    return f"rxn{index:06d}"


def shuffled(names: Iterable[str], seed: int) -> list[str]:
    """Order names at random in a way that does not depend on which other names there are.

    Sorting by a hash of seed and name makes the first n of a subset the same, whatever else the set holds:
    a choice made from a part of a file that is still being computed is the one made from the whole file.
    """
    return sorted(names, key=lambda name: hashlib.sha256(f"{seed} {name}".encode()).digest())


def superimposed(coordinates: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Move and turn a geometry onto another one with the least sum of squared distances.

    W. Kabsch, Acta Cryst. A 32, 922 (1976); mirror images are not turned into each other.

    Parameters
    ----------
    coordinates, reference
        (N, 3), in the same atom order.

    Returns
    -------
    ndarray
        (N, 3), in the frame of the reference.
    """
    centre = reference.mean(axis=0)
    centred = coordinates - coordinates.mean(axis=0)
    left, _, right = np.linalg.svd(centred.T @ (reference - centre))
    handedness = np.sign(np.linalg.det(left @ right))
    turned: np.ndarray = centred @ (left * [1.0, 1.0, handedness]) @ right + centre
    return turned


def read_npz(path: Path) -> list[ReactionGeometries]:
    """Read geometries from an npz archive.

    The archive holds the ragged arrays rxn_id (n,), offset (n + 1,), atomic_numbers (A,) and reactant, ts,
    product (A, 3) in Angstrom; a structure that is missing is NaN.

    Raises
    ------
    DataError
        The file is missing, is no such archive, or its arrays do not fit together.
    """
    keys = ("rxn_id", "offset", "atomic_numbers", "reactant", "ts", "product")
    with reading(path, "not a readable npz archive"):
        check_sizes(path)
        with np.load(path, allow_pickle=False) as archive:
            absent = [key for key in keys if key not in archive]
            arrays = {key: archive[key] for key in keys if not absent}
    if absent:
        raise DataError(path, f"no array {absent[0]!r}; docs/data-layout.md describes the form.")
    offset, numbers = arrays["offset"], arrays["atomic_numbers"]
    if len(offset) != len(arrays["rxn_id"]) + 1 or (np.diff(offset) <= 0).any() or offset[-1] != len(numbers):
        raise DataError(path, "the array 'offset' does not divide the atoms into reactions.")
    for key in ("reactant", "ts", "product"):
        if arrays[key].shape != (len(numbers), 3):
            raise DataError(
                path, f"the array {key!r} has the shape {arrays[key].shape}, not ({len(numbers)}, 3)."
            )
    reactions = []
    for index, start, stop in zip(arrays["rxn_id"], offset[:-1], offset[1:], strict=True):
        structures = {
            role: arrays[key][start:stop].astype(float)
            for role, key in zip(ROLES, ("reactant", "ts", "product"), strict=True)
            if np.isfinite(arrays[key][start:stop]).all()
        }
        reactions.append(ReactionGeometries(reaction_name(int(index)), numbers[start:stop], structures))
    return reactions
