"""Kinds of reactions whose paths are computed, and their end points at the level of theory of the data."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers

from hessbench.chemistry.bonds import bonds
from hessbench.chemistry.normal_modes import atomic_masses, normal_modes
from hessbench.chemistry.relaxation import relax
from hessbench.errors import PotentialError
from hessbench.potential.batch import Batch
from hessbench.potential.evaluation import energies_and_forces, hessians
from hessbench.potential.interface import Potential
from hessbench.reactions.geometries import ReactionGeometries

Kind = Literal["single hydrogen transfer", "multi-process", "held-out"]

KICK = 0.15
"""Length of the displacement from a transition state along its imaginary mode, Angstrom."""
HYDROGEN = 1
TRANSFER_ELEMENTS = frozenset(atomic_numbers[symbol] for symbol in "HCNO")
"""Elements of the paper's single hydrogen transfer (Figure 4)."""
MULTI_PROCESS_ELEMENTS = frozenset(atomic_numbers[symbol] for symbol in "HCO")
"""Elements of the paper's multi-process reaction (Figure S16)."""
CARBON_OXYGEN = frozenset(atomic_numbers[symbol] for symbol in "CO")


@dataclass(frozen=True)
class PathReaction:
    """A reaction whose path is computed.

    Attributes
    ----------
    name, kind
        Of the reaction, and why it is here.
    numbers
        (N,) atomic numbers.
    reactant, transition_state, product
        (N, 3), Angstrom, stationary points at the level of theory of the data.
    barrier
        Energy of the transition state over the reactant at that level, kcal/mol.
    trained
        Roles ("R", "P") of the structures that models are trained on.
    """

    name: str
    kind: Kind
    numbers: np.ndarray
    reactant: np.ndarray
    transition_state: np.ndarray
    product: np.ndarray
    barrier: float
    trained: frozenset[str] = frozenset()


@dataclass(frozen=True)
class BondChanges:
    """Bonds between pairs of atoms, (k, 2) each, that a reaction breaks and makes."""

    numbers: np.ndarray
    broken: np.ndarray
    made: np.ndarray

    @property
    def transferred_hydrogens(self) -> set[int]:
        """Hydrogen atoms that lose one bond and gain another one."""
        both = set(self.broken.ravel().tolist()) & set(self.made.ravel().tolist())
        return {atom for atom in both if self.numbers[atom] == HYDROGEN}

    @property
    def is_single_hydrogen_transfer(self) -> bool:
        """Whether one hydrogen changes its partner and nothing else happens, all in H, C, N, O."""
        elements = frozenset(self.numbers.tolist())
        return (
            len(self.broken) == len(self.made) == len(self.transferred_hydrogens) == 1
            and elements == TRANSFER_ELEMENTS
        )

    @property
    def is_multi_process(self) -> bool:
        """Whether hydrogens, at least two, change partners and a C-O bond breaks, all in H, C, O."""
        carbon_oxygen = any(frozenset(self.numbers[pair].tolist()) == CARBON_OXYGEN for pair in self.broken)
        elements = frozenset(self.numbers.tolist())
        return len(self.transferred_hydrogens) >= 2 and carbon_oxygen and elements == MULTI_PROCESS_ELEMENTS


def bond_changes(numbers: np.ndarray, reactant: np.ndarray, product: np.ndarray) -> BondChanges:
    """Compare the bonds of two geometries (N, 3) in one atom order."""
    before, after = bonds(numbers, reactant), bonds(numbers, product)
    return BondChanges(numbers, np.argwhere(before & ~after), np.argwhere(after & ~before))


def connect(
    geometries: ReactionGeometries, kind: Kind, potential: Potential, fmax_ev: float, steps: int
) -> PathReaction | None:
    """Go down from a transition state to both sides and take the minima found there as end points.

    This is the quick reaction coordinate (Goodman and Silva, Tetrahedron Lett. 44, 8233 (2003)): minimise the
    energy from slightly displaced geometries. So the path between the end points has this transition
    state, which the conformers of separately optimised reactants and products need not have.

    Returns
    -------
    PathReaction or None
        None if the minima do not have the bonds of the given reactant and product.
    """
    numbers, saddle = geometries.numbers, geometries.coordinates["TS"]
    masses = atomic_masses(numbers)
    try:
        (hessian,) = hessians(potential, Batch.from_atoms([Atoms(numbers, saddle)]))
        mode = normal_modes(saddle, masses, hessian).vectors[:, 0].reshape(-1, 3) / np.sqrt(masses)[:, None]
        step = KICK * mode / np.linalg.norm(mode)
        ends = relax(
            [Atoms(numbers, saddle + step), Atoms(numbers, saddle - step)], potential, fmax_ev, steps
        )
        top = energy_of(numbers, saddle, potential)
        barriers = [top - energy_of(numbers, end.positions, potential) for end in ends]
    except PotentialError:
        return None
    wanted = [bonds(numbers, geometries.coordinates[role]) for role in ("R", "P")]
    found = [bonds(numbers, end.positions) for end in ends]
    for reactant, product in ((0, 1), (1, 0)):
        if (
            not (ends[0].reason or ends[1].reason)
            and np.array_equal(found[reactant], wanted[0])
            and np.array_equal(found[product], wanted[1])
        ):
            return PathReaction(
                geometries.name,
                kind,
                numbers,
                ends[reactant].positions,
                saddle,
                ends[product].positions,
                barriers[reactant],
                geometries.trained,
            )
    return None


def energy_of(numbers: np.ndarray, coordinates: np.ndarray, potential: Potential) -> float:
    """Energy of one geometry, kcal/mol."""
    energies, _ = energies_and_forces(potential, Batch.from_atoms([Atoms(numbers, coordinates)]))
    return float(energies[0])
