"""Rows of the results table: the normal modes of each predicted Hessian against the reference's."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from hessbench.chemistry.normal_modes import NormalModes, atomic_masses, modes_within, vibrational_basis
from hessbench.data.structures import Structures
from hessbench.experiments.curvature.run.modes import mode_errors
from hessbench.experiments.errors.run.predictions import stored_predictions
from hessbench.experiments.errors.run.scoring import reference_hessians


@dataclass(frozen=True)
class Reference:
    """The reference's modes of one structure, and what diagonalizing any of its Hessians needs.

    Attributes
    ----------
    basis
        (3N, k), the structure's `vibrational_basis`: the same for the reference and all models.
    masses
        (N,), amu.
    modes
        Of the reference's Hessian.
    """

    basis: np.ndarray
    masses: np.ndarray
    modes: NormalModes


def references(structures: Structures) -> Iterator[Reference]:
    """Diagonalize the reference's Hessians, of the structures that have one.

    Raises
    ------
    DataError
        The structures have none.
    """
    labelled = structures.select(structures.have_hessians)
    pieces = np.split(reference_hessians(structures), labelled.hessian_offsets[1:-1])
    for (first, last), flat in zip(pairwise(labelled.atom_offsets.tolist()), pieces, strict=True):
        masses = atomic_masses(labelled.numbers[first:last])
        basis = vibrational_basis(labelled.coordinates[first:last], masses)
        yield Reference(basis, masses, modes_within(basis, masses, flat.reshape(len(basis), -1)))


def rows_of(
    file: Path, name: str, seed: int, structures: Structures, reference: list[Reference]
) -> Iterator[dict[str, Any]]:
    """Rows of one model and set, without loss, seed and set.

    Parameters
    ----------
    file
        Predictions of `hessbench evaluate`.
    name, seed
        Of the set and the model.
    structures
        The set, in the order of the predictions.
    reference
        Of each structure that has a Hessian.

    Raises
    ------
    DataError
        The predictions are of other structures, or their Hessians were not stored.
    """
    predicted = stored_predictions(file, name, seed, structures)
    hessians = predicted.hessians or []
    labelled = np.flatnonzero(structures.have_hessians)
    along = structures.annotations.get("path_coordinate")
    for index, wanted in zip(labelled.tolist(), reference, strict=True):
        modes = modes_within(wanted.basis, wanted.masses, hessians[index].astype(np.float64))
        yield {
            "reaction": predicted.reactions[index],
            "structure": int(predicted.structures[index]),
            "path_coordinate": None if along is None else float(along[index]),
            **mode_errors(modes, wanted.modes),
        }
