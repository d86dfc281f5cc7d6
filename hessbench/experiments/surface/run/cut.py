"""A real cut through a potential energy surface: a hydrogen atom on its way between two atoms (Figure 1a)."""

import numpy as np
import pandas as pd
from ase import Atoms

from hessbench.potential.batch import Batch
from hessbench.potential.evaluation import energies_and_forces
from hessbench.potential.interface import Potential
from hessbench.reactions.kinds import bond_changes

POINTS = 33
"""Points of the grid to each side."""
MARGIN = 0.35
"""The grid reaches so far beyond the hydrogen's places in reactant and product, Angstrom."""


def hydrogen_cut(
    numbers: np.ndarray,
    reactant: np.ndarray,
    transition_state: np.ndarray,
    product: np.ndarray,
    potential: Potential,
) -> pd.DataFrame:
    """Energy over the plane of donor, hydrogen and acceptor, all other atoms fixed at the transition state.

    Parameters
    ----------
    numbers
        (N,) atomic numbers.
    reactant, transition_state, product
        (N, 3), Angstrom, of a single hydrogen transfer.
    potential
        Level of theory.

    Returns
    -------
    DataFrame
        Columns of the table surface: x, along the line from donor to acceptor, and y, the distance from it
        on the hydrogen's side, of the hydrogen relative to the donor (Angstrom); energy relative to the
        lowest point (kcal/mol).
    """
    changes = bond_changes(numbers, reactant, product)
    (hydrogen,) = changes.transferred_hydrogens
    donor, acceptor = (
        next(int(atom) for atom in pair[0] if atom != hydrogen) for pair in (changes.broken, changes.made)
    )
    along = transition_state[acceptor] - transition_state[donor]
    separation = float(np.linalg.norm(along))
    along = along / separation
    to_hydrogen = transition_state[hydrogen] - transition_state[donor]
    across = to_hydrogen - along * (to_hydrogen @ along)
    across /= np.linalg.norm(across)
    lengths = [
        float(np.linalg.norm(structure[hydrogen] - structure[atom]))
        for structure, atom in ((reactant, donor), (product, acceptor))
    ]
    height = float(to_hydrogen @ across)
    x = np.linspace(lengths[0] * 0.3 - MARGIN, separation - lengths[1] * 0.3 + MARGIN, POINTS)
    y = np.linspace(max(height - MARGIN, 0.75), height + 2 * MARGIN, POINTS)
    grid_x, grid_y = np.meshgrid(x, y)
    geometries = np.repeat(transition_state[None], grid_x.size, axis=0)
    geometries[:, hydrogen] = (
        transition_state[donor] + grid_x.reshape(-1, 1) * along + grid_y.reshape(-1, 1) * across
    )
    energies = np.concatenate(
        [
            energies_and_forces(potential, Batch.from_atoms([Atoms(numbers, geometry)]))[0]
            for geometry in geometries
        ]
    )
    return pd.DataFrame({"x": grid_x.ravel(), "y": grid_y.ravel(), "energy": energies - energies.min()})
