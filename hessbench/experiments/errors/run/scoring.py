"""Test sets, and errors of what is predicted for them, structure by structure: no potential takes part."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd

from hessbench.data.layout import ReactionFile
from hessbench.data.structures import Structures, load_structures
from hessbench.errors import DataError
from hessbench.experiments.errors.run.rmse import sums_by_structure
from hessbench.results.store.names import QUANTITIES


@dataclass(frozen=True)
class TestSet:
    """Structures with reference values to compare with.

    Attributes
    ----------
    data, level
        Name, version, level and checksum of the file they come from; its level of theory.
    structures
        Energies and forces included, and Hessians of all, some or none.
    """

    __test__ = False  # no test class, whatever pytest reads into the name

    data: str
    level: str
    structures: Structures

    @classmethod
    def read(cls, path: Path, reactions: Iterable[str] | None = None) -> Self:
        """Read a file in the layout of `hessbench.data.layout`, whole or some of its reactions.

        Raises
        ------
        DataError
            See `ReactionFile`.
        """
        with ReactionFile(path) as file:
            data, level = file.identifier, file.metadata.level
        return cls(data, level, load_structures(path, reactions))


def structure_errors(
    structures: Structures, energies: np.ndarray, forces: np.ndarray, hessians: np.ndarray | None
) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Sums over each structure's elements of squared and absolute errors, and the number of elements.

    Parameters
    ----------
    structures
        M structures with A atoms in all.
    energies, forces, hessians
        Predicted for all of them: (M,), (A, 3), flat; Hessians may be left out if the data have none.

    Returns
    -------
    dict
        By quantity, three arrays of length M; Hessians of structures that have none count no elements, and
        are left out where none has one.
    """
    differences = {
        "energy": energies - structures.energies,
        "force": (forces - structures.forces).ravel(),
    }
    if structures.hessians is not None and hessians is not None:
        if structures.labelled is not None:
            hessians = hessians[np.repeat(structures.labelled, (3 * structures.counts) ** 2)]
        differences["hessian"] = hessians - structures.hessians
    offsets = element_offsets(structures)
    return {
        quantity: (
            sums_by_structure(error.astype(np.float64) ** 2, offsets[quantity]),
            sums_by_structure(np.abs(error.astype(np.float64)), offsets[quantity]),
            np.diff(offsets[quantity]),
        )
        for quantity, error in differences.items()
    }


def reference_hessians(structures: Structures) -> np.ndarray:
    """Flat Hessians to compare with.

    Raises
    ------
    DataError
        The structures have none.
    """
    if structures.hessians is None:
        raise DataError("structures", "have no Hessians to compare with; evaluate on data that have.")
    return structures.hessians


def element_offsets(structures: Structures) -> dict[str, np.ndarray]:
    """By quantity the first element of each structure in flat arrays, and their number: (M + 1,)."""
    return {
        "energy": np.arange(len(structures) + 1),
        "force": 3 * structures.atom_offsets,
        "hessian": structures.hessian_offsets,
    }


def error_rows(seed: int, name: str, structures: Structures, errors: dict[str, tuple]) -> pd.DataFrame:
    """Rows of the errors table for one model and set; none for a Hessian that there is not.

    Parameters
    ----------
    seed
        Of the model.
    name
        Of the set: rtp, irc or nms.
    structures
        The M structures predicted.
    errors
        By quantity the sums of squared and of absolute errors and the number of elements, each (M,), see
        `structure_errors`; kcal/mol and Angstrom.
    """
    names = np.array(structures.reaction_names)[structures.reactions]
    rows = pd.concat(
        [
            pd.DataFrame(
                {
                    "seed": seed,
                    "set": name,
                    "reaction": names,
                    "structure": structures.indices,
                    "quantity": quantity,
                    "squared": errors[quantity][0],
                    "absolute": errors[quantity][1],
                    "count": errors[quantity][2],
                }
            )
            for quantity in QUANTITIES
            if quantity in errors
        ]
    )
    return rows[rows["count"] > 0]
