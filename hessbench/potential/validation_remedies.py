"""Why a derivative of an energy is not what it should be: another unit, sign or order of its elements."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from hessbench.units import BOHR, EV, HARTREE

Array = NDArray[np.float64]

ENERGIES = {"kcal/mol": 1.0, "eV": EV, "hartree": HARTREE, "kJ/mol": 1 / 4.184}
"""Unit: one of it in kcal/mol."""
LENGTHS = {"Angstrom": 1.0, "bohr": BOHR}
"""Unit: one of it in Angstrom."""
SAME_FACTOR = 0.01
"""A factor is that of a unit if they differ by less than this share; no two of the units are nearer."""
QUANTITIES = ("energies", "forces", "Hessians")
"""By order of the derivative."""


def unit_of(factor: float, order: int) -> str | None:
    """Unit of an energy's derivative of this order whose values the factor converts, if there is one.

    Parameters
    ----------
    factor
        From that unit to kcal/mol/Angstrom^order.
    order
        0 for energies, 1 for forces, 2 for Hessians.
    """
    power = {0: "", 1: "/{}", 2: "/{}^2"}[order]
    units = {
        energy + power.format(length): value / size**order
        for energy, value in ENERGIES.items()
        for length, size in LENGTHS.items()
    }
    nearest = min(units, key=lambda unit: abs(units[unit] / factor - 1))
    return nearest if abs(units[nearest] / factor - 1) < SAME_FACTOR else None


def explain(found: Array, expected: Array, tolerance: float, order: int) -> str:
    """Say what would make forces or a Hessian the derivative of the energies or forces.

    Parameters
    ----------
    found, expected
        Forces (N, 3) or Hessian (3 N, 3 N) of a molecule, and the same by differences of energies or forces.
    tolerance
        Largest difference that counts as equal.
    order
        1 for forces, 2 for a Hessian.

    Returns
    -------
    str
        The remedy, or that no unit, sign or order explains the difference.
    """
    of, source = QUANTITIES[order], QUANTITIES[order - 1]
    for arrangement, arranged in _arrangements(found, expected, order).items():
        square = float((arranged * arranged).sum())
        fitted = float((arranged * expected).sum()) / square if square else 0.0
        for factor in (1.0, -1.0, fitted):
            if np.abs(factor * arranged - expected).max() > tolerance:
                continue
            sign = "change their sign" if factor < 0 else ""
            scale = _scale(abs(factor), order) if abs(factor) != 1 else ""
            return f"{of} and {source} agree if you {' and '.join(filter(None, [arrangement, sign, scale]))}"
    return f"no unit, sign or order of the {of} explains this; look for a term that one of the two lacks"


def _scale(factor: float, order: int) -> str:
    """Remedy of a factor between a derivative and what it was derived from."""
    of, source = QUANTITIES[order], QUANTITIES[order - 1]
    if abs(factor - 1) < SAME_FACTOR:
        return f"multiply the {of} by {factor:.5g}"
    if unit := unit_of(factor, order):
        return f"multiply the {of} by {factor:.5g}, from {unit}"
    if unit := unit_of(1 / factor, order - 1):
        return f"multiply the {source} by {1 / factor:.5g}, from {unit}"
    return f"multiply the {of} by {factor:.5g}, which is no factor between units"


def _arrangements(found: Array, expected: Array, order: int) -> dict[str, Array]:
    """The same numbers in other orders that occur, by the remedy."""
    atoms = len(found) if order == 1 else len(found) // 3
    axes = np.arange(3 * atoms).reshape(3, atoms).T.ravel()
    columns = found.reshape(3, atoms).T if order == 1 else found[np.ix_(axes, axes)]
    places = _matching_atoms(found, expected, order)
    coordinates = (3 * places[:, None] + np.arange(3)).ravel()
    permuted = found[places] if order == 1 else found[np.ix_(coordinates, coordinates)]
    return {
        "": found,
        "let coordinates run over x, y, z of an atom first, not over all atoms' x": columns,
        f"put the atoms in the order {places.tolist()}": permuted,
    }


def _matching_atoms(found: Array, expected: Array, order: int) -> NDArray[np.int64]:
    """Order of the found atoms in which their forces, or own blocks, are nearest to the expected ones."""
    costs = cdist(_of_atoms(expected, order), _of_atoms(found, order))
    places: NDArray[np.int64] = linear_sum_assignment(costs)[1]
    return places


def _of_atoms(values: Array, order: int) -> Array:
    """Rows that characterize the atoms: forces (N, 3), or own blocks of a Hessian (N, 9)."""
    if order == 1:
        return values
    own = np.arange(len(values) // 3)
    return values.reshape(len(own), 3, len(own), 3)[own, :, own].reshape(-1, 9)
