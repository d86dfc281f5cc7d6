"""Reaction paths by few gradients, for levels of theory whose gradients are expensive.

M. Page, J. W. McIver, J. Chem. Phys. 88, 922 (1988): each step follows the steepest descent of the local
quadratic approximation to a given length. Its Hessian starts as that of the transition state and is updated
from the gradients met on the way (J. M. Bofill, J. Comput. Chem. 15, 1 (1994)). Where the path turns, the
approximation soon fails: each new gradient says how far it held, and steps are as long as it does.
"""

import math
from collections.abc import Iterator, Sequence

import numpy as np

from hessbench.chemistry.level import Level
from hessbench.chemistry.normal_modes import atomic_masses, normal_modes, translations_rotations
from hessbench.units import EV

TIMES = 2001
"""Points on the curve of steepest descent between which the length of a step is found."""
MISSED = 0.2
"""Part of a gradient that the quadratic approximation may miss; a step that misses more is halved."""
SHORTEST = 0.005
"""Step that is taken however much it misses, amu^(1/2) Angstrom."""


def follow_quadratic(
    level: Level, start: np.ndarray, hessian: np.ndarray, direction: int, steps: Sequence[float], fmax: float
) -> Iterator[tuple[np.ndarray, float, np.ndarray]]:
    """Follow the path from a transition state to one side, as long as the energy falls.

    Parameters
    ----------
    level
        Of theory, for the molecule.
    start
        (N, 3) geometry of the TS, Angstrom.
    hessian
        (3N, 3N) Hessian there, kcal/mol/Angstrom^2.
    direction
        +1 or -1, along the imaginary mode.
    steps
        Lengths of path between the points, amu^(1/2) Angstrom; each is gone in as many steps as it takes.
    fmax
        The path ends where the largest force on an atom has fallen below this (eV/Angstrom) after it had been
        above, before the energy would rise, or after the last step.

    Yields
    ------
    coordinates, energy, gradient
        Of each point after the TS: (N, 3) Angstrom, kcal/mol, (N, 3) kcal/mol/Angstrom.

    Raises
    ------
    LevelError
        A single point failed.
    """
    masses = atomic_masses(level.numbers)
    weights = np.repeat(np.sqrt(masses), 3)
    curvature = hessian / np.outer(weights, weights)
    point = start
    energy, gradient = level.gradient(start)
    slope = gradient.ravel() / weights
    mode = direction * normal_modes(start, masses, hessian).vectors[:, 0]
    longest = steps[0]
    steep = False
    for length in steps:
        left = length
        while left > 0:
            part = left / math.ceil(left / longest)
            if point is start:
                step = part * mode
            else:
                rigid = translations_rotations(point, masses)
                inside = np.eye(slope.size) - rigid @ rigid.T
                step = quadratic_descent(inside @ slope, inside @ curvature @ inside, part)
            reached = point + (step / weights).reshape(-1, 3)
            lower, gradient = level.gradient(reached)
            after = gradient.ravel() / weights
            missed = np.linalg.norm(after - slope - curvature @ step) / max(
                np.linalg.norm(after), np.linalg.norm(slope)
            )
            curvature = updated(curvature, step, after - slope)
            if missed > MISSED and part > SHORTEST:
                longest = part / 2
                continue
            if lower >= energy:
                return
            point, energy, slope = reached, lower, after
            left -= part
            longest = 2 * part if missed < MISSED / 4 else part
        yield point, energy, gradient
        largest = np.linalg.norm(gradient, axis=1).max() / EV
        if steep and largest < fmax:
            return
        steep = steep or largest > fmax


def quadratic_descent(gradient: np.ndarray, hessian: np.ndarray, length: float) -> np.ndarray:
    """Go down the steepest descent of a quadratic function.

    Parameters
    ----------
    gradient, hessian
        (n,) and (n, n) at the start.
    length
        Of the curve.

    Returns
    -------
    ndarray
        (n,) displacement; where the curve is shorter than `length`, almost to its end.
    """
    values, vectors = np.linalg.eigh(hessian)
    slopes = vectors.T @ gradient
    duration = length / np.linalg.norm(gradient)
    while True:
        times = np.linspace(0, duration, TIMES)
        speeds = np.linalg.norm(slopes * np.exp(-values * times[:, None]), axis=1)
        lengths = np.concatenate([[0.0], np.cumsum((speeds[1:] + speeds[:-1]) / 2 * np.diff(times))])
        if lengths[-1] >= length or speeds[-1] < 1e-3 * speeds[0]:
            break
        duration *= 2
    time = np.interp(length, lengths, times)
    # (1 - exp(-value time)) / value without loss of digits where the value is near zero.
    product = values * time
    small = np.abs(product) < 1e-8
    factors = np.where(small, time, -np.expm1(-product) / np.where(small, 1.0, values))
    return -vectors @ (factors * slopes)


def updated(hessian: np.ndarray, step: np.ndarray, change: np.ndarray) -> np.ndarray:
    """Make a Hessian (n, n) give the change (n,) of the gradient met in a step (n,) (Bofill's update)."""
    residual = change - hessian @ step
    square, product = step @ step, residual @ step
    symmetric_rank_one = np.outer(residual, residual) * product / (residual @ residual) / square
    share = product**2 / (residual @ residual) / square
    mixed = np.outer(residual, step)
    powell = (mixed + mixed.T) / square - product * np.outer(step, step) / square**2
    return hessian + symmetric_rank_one + (1 - share) * powell
