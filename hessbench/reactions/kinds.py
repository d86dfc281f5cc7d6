"""Which reactions paths are computed for, and their end points at the level of theory of the data.

The rules are deterministic and look at nothing but geometries and energies of the level of theory.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers
from tqdm import tqdm

from hessbench.chemistry.bonds import bonds
from hessbench.chemistry.normal_modes import atomic_masses, normal_modes
from hessbench.chemistry.relaxation import relax
from hessbench.errors import HessbenchError, PotentialError
from hessbench.potential.batch import Batch
from hessbench.potential.evaluation import energies_and_forces, hessians
from hessbench.potential.interface import Potential
from hessbench.reactions.geometries import ReactionGeometries, shuffled

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
    """

    name: str
    kind: Kind
    numbers: np.ndarray
    reactant: np.ndarray
    transition_state: np.ndarray
    product: np.ndarray
    barrier: float


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


def choose_reactions(
    candidates: Iterable[ReactionGeometries],
    potential: Potential,
    *,
    single_transfer_barrier: float,
    multi_process_barrier: float,
    held_out: int,
    candidates_of_kind: int,
    seed: int,
    fmax_ev: float,
    steps: int,
    accept: Callable[[PathReaction], bool] = lambda reaction: True,
) -> list[PathReaction]:
    """Choose the two reactions of the paper's figures and a number of further ones.

    The single hydrogen transfer and the multi-process reaction are those among the candidates of their kind
    (`BondChanges`) whose barrier is nearest to the paper's; the others are the first in a random order. A
    candidate is passed over if its transition state does not lead to its reactant and product (`connect`).

    Parameters
    ----------
    candidates
        Reactions outside the training, stationary points at the level of the potential.
    potential
        The level of theory of the data.
    single_transfer_barrier, multi_process_barrier
        Of the paper's reactions, kcal/mol.
    held_out
        Number of further reactions.
    candidates_of_kind
        At most so many of a kind are compared, the first in the random order.
    seed
        Of the random order.
    fmax_ev, steps
        For the end points: largest force on an atom, eV/Angstrom, and steps of L-BFGS at most.
    accept
        Whether one of the two reactions will do, e.g. whether its reference band converges; else the next.

    Raises
    ------
    HessbenchError
        There are not enough such reactions.
    """
    complete = {item.name: item for item in candidates if set(item.coordinates) >= {"R", "TS", "P"}}
    changes = {
        name: bond_changes(item.numbers, item.coordinates["R"], item.coordinates["P"])
        for name, item in complete.items()
    }
    chosen: list[PathReaction] = []
    kinds: list[tuple[Kind, Callable[[BondChanges], bool], float]] = [
        ("single hydrogen transfer", lambda item: item.is_single_hydrogen_transfer, single_transfer_barrier),
        ("multi-process", lambda item: item.is_multi_process, multi_process_barrier),
    ]
    for kind, fits, wanted in kinds:
        fitting = (name for name in changes if fits(changes[name]))
        pool = [complete[name] for name in shuffled(fitting, seed)[:candidates_of_kind]]
        barriers = {
            item.name: _barrier(item, potential) for item in tqdm(pool, desc=f"barriers: {kind}", delay=2)
        }
        pool = [item for item in pool if barriers[item.name] is not None]
        pool.sort(key=lambda item: abs((barriers[item.name] or 0.0) - wanted))
        chosen += _take(1, kind, pool, potential, fmax_ev, steps, accept)
    names = {item.name for item in chosen}
    rest = [complete[name] for name in shuffled(complete, seed) if name not in names]
    return chosen + _take(held_out, "held-out", rest, potential, fmax_ev, steps)


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
        top = _energy(numbers, saddle, potential)
        barriers = [top - _energy(numbers, end.positions, potential) for end in ends]
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
            )
    return None


def _take(
    count: int,
    kind: Kind,
    pool: list[ReactionGeometries],
    potential: Potential,
    fmax_ev: float,
    steps: int,
    accept: Callable[[PathReaction], bool] = lambda reaction: True,
) -> list[PathReaction]:
    """Take the first reactions of a pool whose transition state connects their end points."""
    tried = (connect(item, kind, potential, fmax_ev, steps) for item in pool)
    connected = (reaction for reaction in tried if reaction is not None and accept(reaction))
    bar = tqdm(range(count), desc=f"end points: {kind}", delay=2)
    taken = [reaction for _, reaction in zip(bar, connected, strict=False)]
    if len(taken) < count:
        raise HessbenchError(
            f"neb: {count} reactions of the kind {kind!r} are wanted, but only {len(taken)} of {len(pool)} "
            "candidates outside the training will do; give more geometries (neb.geometries)."
        )
    return taken


def _barrier(geometries: ReactionGeometries, potential: Potential) -> float | None:
    """Barrier, kcal/mol; None where the level of theory fails."""
    try:
        return _energy(geometries.numbers, geometries.coordinates["TS"], potential) - _energy(
            geometries.numbers, geometries.coordinates["R"], potential
        )
    except PotentialError:
        return None


def _energy(numbers: np.ndarray, coordinates: np.ndarray, potential: Potential) -> float:
    energies, _ = energies_and_forces(potential, Batch.from_atoms([Atoms(numbers, coordinates)]))
    return float(energies[0])
