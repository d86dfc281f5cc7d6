"""Predictions of an ensemble on the test sets, in one HDF5 file.

Layout: a group for each set ("rtp", "irc", "nms") with `reaction` and `structure`, which say which
structures these are, and `counts`, their atoms; in it a group seed-<k> for each model with `energies` (M,)
float64 in kcal/mol, atomic energies included, `forces` (A, 3) float32 in kcal/mol/Angstrom and, if stored,
`hessians`, float32 in kcal/mol/Angstrom^2, the lower triangle of each structure's matrix row by row. The
attribute `hessbench` of the file, JSON, has among others its `inputs`: what the predictions are
made from; and, of an ensemble, the `label` of its loss.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hessbench.config.inputs import Inputs, inputs_of
from hessbench.system.hdf5 import member, opened, read_array
from hessbench.system.reading import reading

REMEDY = "run `hessbench evaluate`"
MISSING = f"does not exist; {REMEDY} first."


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


def predicted_from(path: Path) -> Inputs:
    """Read what predictions are made from.

    Raises
    ------
    DataError
        The file is missing or damaged, or does not say so.
    """
    problem = "does not say what it was made from"
    with reading(path, problem, REMEDY, missing=MISSING), opened(path) as file:
        return inputs_of(json.loads(file.attrs["hessbench"])["inputs"])


def predicted_label(path: Path) -> str:
    """Read what the loss of the models that predicted is called in tables and figures.

    Raises
    ------
    DataError
        The file is missing or damaged, or does not say so.
    """
    problem = "does not say what the loss is called"
    with reading(path, problem, REMEDY, missing=MISSING), opened(path) as file:
        return str(json.loads(file.attrs["hessbench"])["label"])


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
