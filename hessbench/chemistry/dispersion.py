"""Dispersion of the functional wB97X-D: damped pair attractions, with first and second derivatives.

J.-D. Chai, M. Head-Gordon, Phys. Chem. Chem. Phys. 10, 6615 (2008), eqs. 19 and 20; coefficients and radii of
S. Grimme, J. Comput. Chem. 27, 1787 (2006), Table 1.
"""

import numpy as np
from ase.data import chemical_symbols

from hessbench.errors import HessbenchError

DAMPING = 6.0
"""The parameter a of the damping function 1 / (1 + a (r / r0)^-12)."""
JOULE_NM6_PER_MOL = 1e6 / 4184
"""In kcal/mol Angstrom^6."""

C6 = {"H": 0.14, "B": 3.13, "C": 1.75, "N": 1.23, "O": 0.70, "F": 0.75}
"""J nm^6 / mol."""
RADII = {"H": 1.001, "B": 1.485, "C": 1.452, "N": 1.397, "O": 1.342, "F": 1.287}
"""Van der Waals radii, Angstrom."""


def dispersion(numbers: np.ndarray, coordinates: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """Energy and its derivatives.

    Parameters
    ----------
    numbers
        (N,) atomic numbers.
    coordinates
        (N, 3), Angstrom.

    Returns
    -------
    energy
        kcal/mol.
    gradient
        (N, 3), kcal/mol/Angstrom.
    hessian
        (3N, 3N), kcal/mol/Angstrom^2.

    Raises
    ------
    HessbenchError
        An element has no coefficient here.
    """
    symbols = [chemical_symbols[number] for number in numbers]
    missing = sorted(set(symbols) - set(C6))
    if missing:
        raise HessbenchError(
            f"The dispersion of wB97X-D has no coefficients for {', '.join(missing)}; it has {', '.join(C6)}."
        )
    count = len(symbols)
    c6 = np.array([C6[symbol] for symbol in symbols]) * JOULE_NM6_PER_MOL
    radii = np.array([RADII[symbol] for symbol in symbols])
    first, second = np.triu_indices(count, 1)
    strength = np.sqrt(c6[first] * c6[second])
    damping = DAMPING * (radii[first] + radii[second]) ** 12
    difference = coordinates[first] - coordinates[second]
    # A pair's -c / r^6 / (1 + a (r / r0)^-12) is -c u^3 / (u^6 + a r0^12) with u = r^2.
    u = (difference**2).sum(axis=1)
    denominator = u**6 + damping
    pair = -strength * u**3 / denominator
    slope = -3 * strength * (damping * u**2 - u**8) / denominator**2
    curvature = (
        -3
        * strength
        * ((2 * damping * u - 8 * u**7) * denominator - 12 * u**5 * (damping * u**2 - u**8))
        / denominator**3
    )
    gradient = np.zeros((count, 3))
    forces = 2 * slope[:, None] * difference
    np.add.at(gradient, first, forces)
    np.add.at(gradient, second, -forces)
    blocks = 2 * slope[:, None, None] * np.eye(3) + 4 * curvature[:, None, None] * np.einsum(
        "pi,pj->pij", difference, difference
    )
    hessian = np.zeros((count, count, 3, 3))
    np.add.at(hessian, (first, first), blocks)
    np.add.at(hessian, (second, second), blocks)
    hessian[first, second] = hessian[second, first] = -blocks
    return float(pair.sum()), gradient, hessian.transpose(0, 2, 1, 3).reshape(3 * count, 3 * count)
