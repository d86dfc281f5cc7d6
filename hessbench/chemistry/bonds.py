"""Which atoms are bonded: the one criterion of the whole package.

Distances are measured in sums of two covalent radii (Cordero et al., Dalton Trans. 2832 (2008), as in ASE),
so that one number serves all elements.
"""

import numpy as np
from ase.data import covalent_radii

BONDED = 1.3
"""Two atoms are bonded when nearer than this times the sum of their covalent radii.

In the minima of the 11,961 embedded reactions bonds end at 1.1, only that of H2 lies at 1.25 - 1.30
(0.78 Angstrom at GFN2-xTB), and from 1.35 on follow atoms with a common neighbour. So a smaller tolerance
loses H2, and a larger one finds bonds that are none.
"""
SURELY, AT_MOST = 1.2, 1.5
"""Between these, in the same unit, a bond is being made or broken: for what must be sure that one changed, or
shows it half. A hydrogen bond may be drawn out within this range without a change of the molecule."""


def relative_distances(numbers: np.ndarray, coordinates: np.ndarray) -> np.ndarray:
    """Distances between atoms over the sums of their covalent radii.

    Parameters
    ----------
    numbers
        (N,) atomic numbers.
    coordinates
        (..., N, 3), Angstrom.

    Returns
    -------
    ndarray
        (..., N, N), infinite on the diagonal.
    """
    radii = covalent_radii[numbers]
    distances = np.linalg.norm(coordinates[..., :, None, :] - coordinates[..., None, :, :], axis=-1)
    atoms = np.arange(len(numbers))
    distances[..., atoms, atoms] = np.inf
    return np.asarray(distances / (radii[:, None] + radii))


def bonds(numbers: np.ndarray, coordinates: np.ndarray) -> np.ndarray:
    """Upper triangle of the matrix of bonds, (N, N) bool, of atoms (N,) at coordinates (N, 3) in Angstrom."""
    return np.triu(relative_distances(numbers, coordinates) < BONDED, 1)


def bonded_pairs(numbers: np.ndarray, coordinates: np.ndarray) -> np.ndarray:
    """Pairs of bonded atoms, (B, 2) with the smaller index first, of atoms (N,) at coordinates (N, 3)."""
    return np.argwhere(bonds(numbers, coordinates))


def sure_changes(numbers: np.ndarray, before: np.ndarray, after: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bonds that one geometry surely has and another one surely has not.

    Parameters
    ----------
    numbers
        (N,) atomic numbers.
    before, after
        (N, 3), Angstrom, in the same order of atoms.

    Returns
    -------
    broken, made : ndarray
        (k, 2) pairs of atoms, the smaller index first.
    """
    first, last = (relative_distances(numbers, item) for item in (before, after))
    broken, made = (
        np.argwhere(np.triu((bonded < SURELY) & (apart > AT_MOST), 1))
        for bonded, apart in ((first, last), (last, first))
    )
    return broken, made
