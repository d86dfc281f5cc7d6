"""Predictions of an ensemble, or of a user's potential, on the test sets, in one HDF5 file.

Layout: a group for each set ("rtp", "irc", "nms") with `reaction` and `structure`, which say which
structures these are, and `counts`, their atoms; in it a group seed-<k> for each model with `energies` (M,)
float64 in kcal/mol, atomic energies included, `forces` (A, 3) float32 in kcal/mol/Angstrom and, if stored,
`hessians`, float32 in kcal/mol/Angstrom^2, the lower triangle of each structure's matrix row by row. Of a
user's potential a group `failed` holds `reaction`, `structure` and `reason` of what could not be predicted.
The attribute `hessbench` of the file, JSON, has among others its `inputs`: what the predictions are
made from; and the `label` of the loss, or the name of the user's potential. The attribute `checksum` is the
SHA-256 of all this.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from hessbench.config.inputs import Inputs, inputs_of
from hessbench.data.structures import Structures
from hessbench.errors import DataError
from hessbench.system.hdf5 import member, members, opened, read_array
from hessbench.system.reading import reading

REMEDY = "run `hessbench evaluate`"
MISSING = f"does not exist; {REMEDY} first."
FAILED = "failed"
"""Group of what could not be predicted, in that of a set."""
METADATA, CHECKSUM = "hessbench", "checksum"
"""Attributes of the file."""


@dataclass(frozen=True)
class Predictions:
    """Predictions of one model for the M structures of a set, A atoms in all.

    Attributes
    ----------
    reactions, structures, counts
        (M,) name of the reaction, number of the structure in it, atoms.
    energies
        (M,) kcal/mol.
    forces
        (A, 3) kcal/mol/Angstrom.
    hessians
        One (3N, 3N) array for each structure, kcal/mol/Angstrom^2; None if they were not stored.
    """

    reactions: NDArray[np.str_]
    structures: NDArray[np.int64]
    counts: NDArray[np.int64]
    energies: NDArray[np.float64]
    forces: NDArray[np.float32]
    hessians: list[NDArray[np.float32]] | None


def read_predictions(path: Path, name: str, seed: int) -> Predictions:
    """Read what one model predicts for one set.

    Raises
    ------
    DataError
        The file is missing or damaged, or has no such set or seed.
    """
    problem = f"no predictions of seed {seed} for {name!r}"
    with reading(path, problem, REMEDY, missing=MISSING), opened(path) as file:
        group = member(file, name)
        model = member(group, f"seed-{seed}")
        counts = read_array(group, "counts")
        return Predictions(
            reactions=member(group, "reaction").asstr()[()].astype(str),
            structures=read_array(group, "structure"),
            counts=counts,
            energies=read_array(model, "energies"),
            forces=read_array(model, "forces"),
            hessians=unpack(read_array(model, "hessians"), counts) if "hessians" in model else None,
        )


def read_metadata(path: Path) -> dict[str, Any]:
    """Read what a file of predictions says of itself.

    Raises
    ------
    DataError
        The file is missing or damaged, or says nothing.
    """
    problem = "does not say what it was made from"
    with reading(path, problem, REMEDY, missing=MISSING), opened(path) as file:
        return dict(json.loads(file.attrs[METADATA]))


def predicted_from(path: Path) -> Inputs:
    """Read what predictions are made from.

    Raises
    ------
    DataError
        The file is missing or damaged, or does not say so.
    """
    content = read_metadata(path)
    with reading(path, "does not say what it was made from", REMEDY):
        return inputs_of(content["inputs"])


def predicted_label(path: Path) -> str:
    """Read what the loss of the models that predicted is called in tables and figures.

    Raises
    ------
    DataError
        The file is missing or damaged, or does not say so.
    """
    content = read_metadata(path)
    with reading(path, "does not say what the loss is called", REMEDY):
        return str(content["label"])


def predicted_seeds(path: Path) -> list[int]:
    """Seeds of the models whose predictions a file holds.

    Raises
    ------
    DataError
        The file is missing or damaged.
    """
    with reading(path, "cannot be read", REMEDY, missing=MISSING), opened(path) as file:
        names = {name for group in members(file).values() for name in group}
        return sorted(int(name.removeprefix("seed-")) for name in names if name.startswith("seed-"))


def stored_predictions(path: Path, name: str, seed: int, structures: Structures) -> Predictions:
    """Read what one model predicts for the structures of a set, Hessians included.

    Raises
    ------
    DataError
        The file is missing or damaged, its predictions are of other structures, or it holds no Hessians.
    """
    predicted = read_predictions(path, name, seed)
    names = np.array(structures.reaction_names)[structures.reactions]
    if not (
        np.array_equal(names, predicted.reactions)
        and np.array_equal(structures.indices, predicted.structures)
    ):
        raise DataError(path, f"its predictions of {name!r} are of other structures; {REMEDY}.")
    if predicted.hessians is None:
        raise DataError(path, "holds no Hessians; add its percent to evaluation.hessians_stored_at_percents.")
    return predicted


def read_failures(path: Path, name: str) -> list[tuple[str, int, str]]:
    """Read reaction, number and reason of the structures of a set that could not be predicted.

    Raises
    ------
    DataError
        The file is missing or damaged.
    """
    with reading(path, "cannot be read", REMEDY, missing=MISSING), opened(path) as file:
        group = member(file, name)
        if FAILED not in group:
            return []
        failed = member(group, FAILED)
        reactions, reasons = (member(failed, key).asstr()[()].tolist() for key in ("reaction", "reason"))
        return list(zip(reactions, read_array(failed, "structure").tolist(), reasons, strict=True))


def flat_hessians(structures: Structures, hessians: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Join predicted Hessians, of the structures that have one to compare with."""
    kept = structures.have_hessians
    return np.concatenate([item.ravel() for item, keep in zip(hessians, kept, strict=True) if keep])


def write_text(group: h5py.Group, name: str, content: list[str]) -> None:
    """Write a dataset of texts, of which there may be none."""
    group.create_dataset(name, data=np.array(content, dtype=object), dtype=h5py.string_dtype())


def write_metadata(file: h5py.File, metadata: dict[str, Any]) -> None:
    """Say in a file of predictions, when all else is in it, what it was made from, and its checksum."""
    file.attrs[METADATA] = json.dumps(metadata)
    file.attrs[CHECKSUM] = _checksum(file, lambda group, name: np.asarray(group[name][()]))


def verified_checksum(path: Path) -> str:
    """Compute the checksum of predictions and hold it against that in the file.

    Raises
    ------
    DataError
        The file is missing or damaged, or is not that of its checksum.
    """
    with reading(path, "cannot be read", REMEDY, missing=MISSING), opened(path) as file:
        stated, found = str(file.attrs.get(CHECKSUM, "")), _checksum(file, read_array)
    if stated != found:
        raise DataError(path, f"is not what its checksum says ({stated[:12] or 'none'}); {REMEDY}.")
    return found


def _checksum(file: h5py.File, read: Callable[[h5py.Group, str], np.ndarray]) -> str:
    """SHA-256 of metadata, names and content; `read` gives the numbers of a dataset."""
    digest = hashlib.sha256(str(file.attrs[METADATA]).encode())

    def add(group: h5py.Group) -> None:
        for name, item in members(group).items():
            digest.update(f"{item.name}\n".encode())
            if isinstance(item, h5py.Group):
                add(item)
            elif h5py.check_string_dtype(item.dtype):
                digest.update("\0".join(item.asstr()[()].tolist()).encode())
            else:
                values = read(group, name)
                digest.update(f"{values.dtype.str} {values.shape}\n".encode())
                digest.update(np.ascontiguousarray(values).tobytes())

    add(file)
    return digest.hexdigest()


def pack(hessians: NDArray[np.float32], counts: NDArray[np.integer]) -> NDArray[np.float32]:
    """Keep the lower triangles of flat Hessians."""
    return np.concatenate([hessian[_triangle(len(hessian))] for hessian in matrices(hessians, counts)])


def unpack(triangles: NDArray[np.float32], counts: NDArray[np.integer]) -> list[NDArray[np.float32]]:
    """Rebuild symmetric matrices from their lower triangles."""
    full = []
    first = 0
    for size in (3 * np.asarray(counts)).tolist():
        rows, columns = _triangle(size)
        hessian = np.empty((size, size), triangles.dtype)
        hessian[rows, columns] = hessian[columns, rows] = triangles[first : first + len(rows)]
        first += len(rows)
        full.append(hessian)
    return full


def matrices(hessians: NDArray[np.float32], counts: NDArray[np.integer]) -> list[NDArray[np.float32]]:
    """Views of the single matrices in flat Hessians."""
    sizes = 3 * np.asarray(counts)
    pieces = np.split(hessians, np.cumsum(sizes**2)[:-1])
    return [piece.reshape(size, size) for piece, size in zip(pieces, sizes.tolist(), strict=True)]


@cache
def _triangle(size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    rows, columns = np.tril_indices(size)
    return rows, columns
