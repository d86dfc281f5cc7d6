"""Energies of the free atoms of each element, fitted to training data and kept out of float32."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hessbench.errors import TrainingError


def compositions(
    numbers: NDArray[np.integer], counts: NDArray[np.integer], elements: Sequence[int]
) -> NDArray[np.float64]:
    """Count the atoms of each element in each structure.

    Parameters
    ----------
    numbers
        (A,) atomic numbers of all atoms.
    counts
        (M,) atoms of each structure.
    elements
        Atomic numbers of the model's elements.

    Returns
    -------
    (M, elements) float64.

    Raises
    ------
    TrainingError
        An atom of another element.
    """
    matches = numbers[:, None] == np.asarray(elements)[None, :]
    if not matches.any(axis=1).all():
        unknown = sorted(set(numbers[~matches.any(axis=1)].tolist()))
        raise TrainingError(
            f"The data hold atomic numbers {unknown}, the model knows {list(elements)}; "
            "add them to model.elements."
        )
    return np.add.reduceat(matches.astype(np.float64), np.cumsum(counts) - counts, axis=0)


def fit_atomic_energies(
    numbers: NDArray[np.integer],
    counts: NDArray[np.integer],
    energies: NDArray[np.float64],
    elements: Sequence[int],
) -> NDArray[np.float64]:
    """Least-squares energies of the elements, in the unit of `energies`.

    If the compositions do not determine them (an element that is absent, or one that always comes in the same
    proportion to others), the solution of smallest norm is taken: absent elements get zero. It is exact
    for every composition in the span of the training set, whichever solution one takes.

    Parameters
    ----------
    numbers, counts, elements
        As in `compositions`.
    energies
        (M,) total energies.
    """
    solution, *_ = np.linalg.lstsq(compositions(numbers, counts, elements), energies, rcond=None)
    return np.asarray(solution, dtype=np.float64)
