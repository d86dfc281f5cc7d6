"""Starting geometries of reactions: reactant (R), transition state (TS) and product (P) in one atom order."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hessbench.errors import DataError
from hessbench.system.npz import check_sizes
from hessbench.system.reading import reading

ROLES = ("R", "TS", "P")
STRUCTURES = dict(zip(ROLES, ("reactant", "ts", "product"), strict=True))
"""Name of the array of each structure in an npz archive."""
FORM = "docs/data-layout.md describes the form"
HEAVIEST = 118
"""Largest atomic number."""


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
    trained
        Roles of the structures that models are trained on.
    """

    name: str
    numbers: np.ndarray
    coordinates: dict[str, np.ndarray]
    trained: frozenset[str] = frozenset()


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
        The file is missing, is no such archive, its arrays are of another type, do not fit together, give a
        reaction twice or an atomic number that there is not, or a structure is NaN in part.
    """
    keys = ("rxn_id", "offset", "atomic_numbers", *STRUCTURES.values())
    with reading(path, "not a readable npz archive"):
        check_sizes(path)
        with np.load(path, allow_pickle=False) as archive:
            absent = [key for key in keys if key not in archive]
            arrays = {} if absent else {key: _read_array(path, archive, key) for key in keys}
    if absent:
        raise DataError(path, f"no array {absent[0]!r}; {FORM}.")
    for key, array in arrays.items():
        _require_form(path, key, array)
    identifiers, offset, numbers = arrays["rxn_id"], arrays["offset"], arrays["atomic_numbers"]
    if len(offset) != len(identifiers) + 1:
        raise DataError(
            path,
            f"the array 'offset' has {len(offset)} elements for {len(identifiers)} of 'rxn_id', not one more "
            f"than those; {FORM}.",
        )
    if offset[0] != 0 or offset[-1] != len(numbers) or (offset[1:] <= offset[:-1]).any():
        raise DataError(
            path,
            "the array 'offset' does not divide the atoms into reactions: it has to rise from 0 to the "
            f"{len(numbers)} atoms of 'atomic_numbers'.",
        )
    _require_values(path, identifiers, numbers)
    for key in STRUCTURES.values():
        if len(arrays[key]) != len(numbers):
            raise DataError(
                path,
                f"the array {key!r} has {len(arrays[key])} atoms, 'atomic_numbers' {len(numbers)}; {FORM}.",
            )
    reactions = []
    for index, start, stop in zip(identifiers.tolist(), offset[:-1], offset[1:], strict=True):
        name = reaction_name(index)
        found = {
            role: _structure(path, name, key, arrays[key][start:stop]) for role, key in STRUCTURES.items()
        }
        present = {role: points for role, points in found.items() if points is not None}
        reactions.append(ReactionGeometries(name, numbers[start:stop], present))
    return reactions


def _read_array(path: Path, archive: Mapping[str, np.ndarray], key: str) -> np.ndarray:
    with reading(path, f"the array {key!r} cannot be read", "save it as an array of numbers"):
        return archive[key]


def _structure(path: Path, name: str, key: str, points: np.ndarray) -> np.ndarray | None:
    """Coordinates of a structure; None if it is missing."""
    if np.isnan(points).all():
        return None
    if not np.isfinite(points).all():
        problem = f"the array {key!r} is not finite in part; a structure that is missing is NaN in all of it."
        raise DataError(path, problem, name)
    return np.asarray(points, dtype=float)


def _require_form(path: Path, key: str, array: np.ndarray) -> None:
    """Refuse an array of another type or number of axes than the archive has under this name."""
    structure = key in STRUCTURES.values()
    kinds, what, remedy = ("fiu", "numbers", "float64") if structure else ("iu", "whole numbers", "int64")
    if array.dtype.kind not in kinds:
        raise DataError(path, f"the array {key!r} is of {array.dtype}, not of {what}; save it as {remedy}.")
    if array.ndim != (2 if structure else 1) or (structure and array.shape[1] != 3):
        wanted = "(atoms, 3)" if structure else "(n,)"
        raise DataError(path, f"the array {key!r} has the shape {array.shape}, not {wanted}; {FORM}.")


def _require_values(path: Path, identifiers: np.ndarray, numbers: np.ndarray) -> None:
    """Refuse numbers of reactions that are negative or there twice, and atomic numbers of no element."""
    found, counts = np.unique(identifiers, return_counts=True)
    if (counts > 1).any():
        raise DataError(
            path, f"the array 'rxn_id' has {found[counts > 1][0]} twice; give each its own number."
        )
    if (found < 0).any():
        raise DataError(path, f"the array 'rxn_id' has {found[0]}; number reactions from 0.")
    if (foreign := numbers[(numbers < 1) | (numbers > HEAVIEST)]).size:
        raise DataError(
            path, f"the array 'atomic_numbers' has {foreign[0]}, which is no element; give 1 to {HEAVIEST}."
        )
