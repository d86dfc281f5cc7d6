"""What a level of theory is: energy, gradient and Hessian of one molecule in kcal/mol and Angstrom.

An object of a level belongs to one molecule and may keep its last wave function for the next geometry, so
results depend (within the convergence threshold of the SCF) on the geometries seen before; generate makes a
new object for each reaction, so that nothing depends on the number of workers or on where a run was
interrupted.
"""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from hessbench.errors import HessbenchError
from hessbench.units import BOHR

HESSIAN_STEP = 5e-3 * BOHR
"""Displacement of central differences, Angstrom."""

FORWARD_STEP = 1e-3 * BOHR
"""Displacement of forward differences, Angstrom: shorter, because their error is linear in it."""


class LevelError(HessbenchError):
    """A single point failed, e.g. its SCF did not converge."""


class Level(Protocol):
    """Energy and derivatives of one molecule."""

    name: str
    numbers: np.ndarray

    def gradient(self, coordinates: np.ndarray) -> tuple[float, np.ndarray]:
        """Energy (kcal/mol) and gradient (N, 3) (kcal/mol/Angstrom) at coordinates (N, 3) (Angstrom).

        Raises
        ------
        LevelError
            The calculation failed.
        """
        ...

    def hessian(self, coordinates: np.ndarray) -> np.ndarray:
        """Hessian (3N, 3N), kcal/mol/Angstrom^2, symmetric.

        Raises
        ------
        LevelError
            The calculation failed.
        """
        ...


def central_difference_hessian(
    gradient: Callable[[np.ndarray], tuple[float, np.ndarray]],
    coordinates: np.ndarray,
    step: float = HESSIAN_STEP,
) -> np.ndarray:
    """Symmetrised central differences of a gradient.

    Parameters
    ----------
    gradient
        Gives energy and gradient (N, 3) at coordinates (N, 3).
    coordinates
        (N, 3), Angstrom.
    step
        Displacement, Angstrom.

    Returns
    -------
    ndarray
        (3N, 3N), kcal/mol/Angstrom^2.
    """
    rows = np.empty((coordinates.size, coordinates.size))
    for index in range(coordinates.size):
        displaced = coordinates.copy()
        displaced.flat[index] = coordinates.flat[index] + step
        forward = gradient(displaced)[1]
        displaced.flat[index] = coordinates.flat[index] - step
        rows[index] = (forward - gradient(displaced)[1]).ravel() / (2 * step)
    return (rows + rows.T) / 2


def forward_difference_hessian(
    gradient: Callable[[np.ndarray], tuple[float, np.ndarray]],
    coordinates: np.ndarray,
    step: float = FORWARD_STEP,
) -> np.ndarray:
    """Hessian at half the cost of central differences, good enough to start an optimization from.

    Parameters and returned array as in `central_difference_hessian`.
    """
    reference = gradient(coordinates)[1].ravel()
    rows = np.empty((coordinates.size, coordinates.size))
    for index in range(coordinates.size):
        displaced = coordinates.copy()
        displaced.flat[index] += step
        rows[index] = (gradient(displaced)[1].ravel() - reference) / step
    return (rows + rows.T) / 2
