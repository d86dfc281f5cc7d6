"""When a molecule has failed: a bond's running mean leaves its range (eq. 7), or atoms come too close.

Section 3.5 of the paper counts close contacts as failures, but gives no distance. Here two atoms that the
start does not bond are in close contact when their distance, in the same running mean, is below the shortest
bond that eq. 7 allows: 0.75 of the sum of their covalent radii (Cordero et al., Dalton Trans. 2832 (2008)).
"""

from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.data import covalent_radii

from hessbench.config.paper import LONGEST_BOND, SHORTEST_BOND, WINDOW
from hessbench.potential.evaluation import Array


@dataclass(frozen=True)
class Violation:
    """The first step (index) at which a pair of atoms (index) left its range, and how far.

    `ratio` is the mean distance over the optimized one, or over the limit of a close contact.
    """

    step: int
    bond: int
    ratio: float


def bond_lengths(positions: Array, bonds: np.ndarray) -> Array:
    """Lengths (..., B) of bonds (B, 2) at positions (..., N, 3)."""
    return np.linalg.norm(positions[..., bonds[:, 0], :] - positions[..., bonds[:, 1], :], axis=-1)


def apart_pairs(bonds: np.ndarray, atoms: int) -> np.ndarray:
    """Pairs of atoms that are not bonded, (P, 2) with the smaller index first, from bonds (B, 2)."""
    apart = np.triu(np.ones((atoms, atoms), dtype=bool), 1)
    apart[bonds[:, 0], bonds[:, 1]] = False
    return np.argwhere(apart)


def contact_distances(numbers: np.ndarray, pairs: np.ndarray) -> Array:
    """Distances (P,) in Angstrom below which pairs (P, 2) of atoms (N,) are in close contact."""
    radii = covalent_radii[numbers]
    return np.asarray(SHORTEST_BOND * (radii[pairs[:, 0]] + radii[pairs[:, 1]]))


def bond_name(atoms: Atoms, bond: np.ndarray) -> str:
    """Name a bond by elements and numbers from 1, like C3-H9."""
    return "-".join(f"{atoms.symbols[index]}{index + 1}" for index in bond)


def running_means(lengths: Array, window: int = WINDOW) -> Array:
    """Mean over each `window` consecutive rows of (T, B): (T - window + 1, B)."""
    return np.lib.stride_tricks.sliding_window_view(lengths, window, axis=0).mean(axis=-1)


def first_violation(means: Array, optimized: Array) -> Violation | None:
    """Find the first row of running means (T, B) in which a bond has left its range.

    Parameters
    ----------
    means
        Of bond lengths.
    optimized
        (B,) optimized lengths.
    """
    ratios = means / optimized
    outside = ~((ratios >= SHORTEST_BOND) & (ratios <= LONGEST_BOND))
    if not outside.any():
        return None
    step = int(np.argmax(outside.any(axis=1)))
    # the worst of the bonds that left at this step
    excess = np.where(outside[step], np.abs(np.log(ratios[step])), -1.0)
    bond = int(np.argmax(excess))
    return Violation(step, bond, float(ratios[step, bond]))


def first_contact(distances: Array, limits: Array, window: int = WINDOW) -> Violation | None:
    """Find the first mean over `window` steps in which two atoms are in close contact.

    Parameters
    ----------
    distances
        (T, P) of pairs at each step.
    limits
        (P,) from `contact_distances`.

    Returns
    -------
    Violation or None
        Its step counts means, as of `running_means`; its ratio is the mean over the limit.
    """
    if len(distances) < window:
        return None
    # a mean can only be below a limit if one of its terms is: few pairs need means
    near = np.flatnonzero((distances < limits).any(axis=0))
    ratios = running_means(distances[:, near], window) / limits[near]
    if not (ratios < 1).any():
        return None
    step = int(np.argmax((ratios < 1).any(axis=1)))
    nearest = int(np.argmin(ratios[step]))
    return Violation(step, int(near[nearest]), float(ratios[step, nearest]))
