"""When a molecule has failed: a bond's running mean leaves its range (eq. 7 of the paper)."""

from dataclasses import dataclass

import numpy as np
from ase import Atoms

from hessbench.config.paper import LONGEST_BOND, SHORTEST_BOND, WINDOW
from hessbench.potential.evaluation import Array


@dataclass(frozen=True)
class Violation:
    """The first step (index) at which a bond (index) left its range; its length over the optimized one."""

    step: int
    bond: int
    ratio: float


def bond_lengths(positions: Array, bonds: np.ndarray) -> Array:
    """Lengths (..., B) of bonds (B, 2) at positions (..., N, 3)."""
    return np.linalg.norm(positions[..., bonds[:, 0], :] - positions[..., bonds[:, 1], :], axis=-1)


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
