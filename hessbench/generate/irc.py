"""Intrinsic reaction coordinates: from a transition state down to both sides.

K. Fukui, Acc. Chem. Res. 14, 363 (1981). The path is followed by Sella's constrained quasi-Newton steps of a
fixed mass-weighted length, starting along the imaginary mode of the given Hessian.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms

from hessbench.chemistry.bonds import bonds
from hessbench.chemistry.level import Level, LevelError
from hessbench.chemistry.levels import LevelCalculator, make_level
from hessbench.chemistry.normal_modes import atomic_masses
from hessbench.generate.labels import collect, label, state_of
from hessbench.generate.refine import RefinementError, minimise
from hessbench.generate.settings import GenerateConfig
from hessbench.reactions.geometries import superimposed
from hessbench.system.journal import Failure, Outcome
from hessbench.units import EV

SHORTEST = 3
"""A side of a path with fewer structures than this, besides the TS, is a failure."""


class PathError(Exception):
    """A path could not be followed, or does not lead from the reactant to the product."""


@dataclass(frozen=True)
class IrcTask:
    """One reaction path to follow and label.

    Attributes
    ----------
    name
        Of the reaction.
    numbers
        (N,) atomic numbers.
    transition_state, hessian
        (N, 3) in Angstrom and (3N, 3N) in kcal/mol/Angstrom^2.
    reactant, product
        (N, 3), Angstrom; the molecules that the path has to connect.
    config
        Settings.
    charge, multiplicity
        Of the molecule; None: the lowest one.
    """

    name: str
    numbers: np.ndarray
    transition_state: np.ndarray
    hessian: np.ndarray
    reactant: np.ndarray
    product: np.ndarray
    config: GenerateConfig
    charge: int = 0
    multiplicity: int | None = None


def irc_reaction(task: IrcTask) -> Outcome:
    """Follow the path of one reaction to both sides, choose structures evenly along it and label them.

    A path that does not lead to the reactant and the product (see `from_reactant_to_product`) is a failure.

    Returns
    -------
    Outcome
        Labels with the annotations path_coordinate (amu^(1/2) Angstrom; 0 at the TS, negative towards the
        reactant) and role ("TS" at 0, else "IRC"), by ascending path coordinate.
    """
    config = task.config
    level = make_level(config.level, task.numbers, task.charge, task.multiplicity)
    try:
        sides = [
            follow(level, task.transition_state, task.hessian, direction, config)
            for direction in ("forward", "reverse")
        ]
        ends = [minimise(level, side[-1], config.fmax_ev) for side in sides]
        if not from_reactant_to_product(task.numbers, ends, [task.reactant, task.product]):
            sides.reverse()
    except (PathError, RefinementError, LevelError) as error:
        return Outcome(task.name, failures=[Failure("IRC", str(error))])
    path = np.stack([*sides[0][:0:-1], task.transition_state, *sides[1][1:]])
    coordinate = path_coordinate(path, atomic_masses(task.numbers), origin=len(sides[0]) - 1)
    chosen = choose_evenly(coordinate, config.irc_structures)

    level = make_level(config.level, task.numbers, task.charge, task.multiplicity)
    labels, failures, kept = [], [], []
    for index in chosen:
        try:
            labels.append(label(level, path[index]))
            kept.append(index)
        except LevelError as error:
            failures.append(Failure(f"IRC {coordinate[index]:+.3f}", str(error)))
    arrays = collect(
        task.numbers,
        [path[index] for index in kept],
        labels,
        path_coordinate=[coordinate[index] for index in kept],
        role=["TS" if coordinate[index] == 0 else "IRC" for index in kept],
        state=state_of(task.numbers, task.charge, task.multiplicity),
    )
    return Outcome(task.name, arrays, failures)


def from_reactant_to_product(
    numbers: np.ndarray, ends: Sequence[np.ndarray], molecules: Sequence[np.ndarray]
) -> bool:
    """Tell whether a path leads from the reactant to the product, or the other way round.

    It does if the minima below its two ends have the bonds of the two. Where both directions do, because
    reactant and product have the same bonds, the nearer geometries decide.

    Parameters
    ----------
    numbers
        (N,) atomic numbers.
    ends
        Minima (N, 3) below the first and below the last structure of the path, Angstrom.
    molecules
        Reactant and product, (N, 3), Angstrom.

    Returns
    -------
    bool
        False: from the product to the reactant.

    Raises
    ------
    PathError
        One of the ends is another molecule.
    """
    graphs = [bonds(numbers, end) for end in ends]
    wanted = [bonds(numbers, molecule) for molecule in molecules]
    directions = [
        order
        for order in ((0, 1), (1, 0))
        if all(np.array_equal(graphs[end], wanted[molecule]) for end, molecule in enumerate(order))
    ]
    if not directions:
        known = [any(np.array_equal(graph, other) for other in wanted) for graph in graphs]
        raise PathError(
            "both ends have the bonds of one of reactant and product"
            if all(known)
            else f"{'one end has' if any(known) else 'both ends have'} other bonds than reactant and product"
        )
    nearest = min(directions, key=lambda order: sum(_mismatch(ends[i], molecules[order[i]]) for i in (0, 1)))
    return nearest == (0, 1)


def follow(
    level: Level, start: np.ndarray, hessian: np.ndarray, direction: str, config: GenerateConfig
) -> list[np.ndarray]:
    """Follow the path from a transition state to one side, as long as the energy falls.

    It ends where the largest force on an atom has fallen below `config.irc_fmax_ev` after it had been above,
    where the energy would rise, where no further step is found, or after `config.irc_steps` steps.

    Parameters
    ----------
    level
        Of theory, for the molecule.
    start
        (N, 3) geometry of the TS, Angstrom.
    hessian
        (3N, 3N) Hessian there, kcal/mol/Angstrom^2.
    direction
        "forward" or "reverse" along the imaginary mode.
    config
        Settings.

    Returns
    -------
    list of ndarray
        Geometries (N, 3), the TS first, with strictly descending energies.

    Raises
    ------
    PathError
        The path ends after fewer than `SHORTEST` steps.
    LevelError
        A single point failed.
    """
    from sella import IRC  # loads jax and torch, which takes seconds: only where it is used
    from sella.optimize.irc import IRCInnerLoopConvergenceFailure

    atoms = Atoms(
        level.numbers, start, masses=atomic_masses(level.numbers), calculator=LevelCalculator(level)
    )
    irc = IRC(atoms, logfile=os.devnull, dx=config.irc_step, hessian_function=lambda _: hessian / EV)
    path, energies = [start.copy()], [atoms.get_potential_energy()]
    steep, end = False, "the step limit"
    try:
        for _ in irc.irun(fmax=config.irc_fmax_ev, steps=config.irc_steps, direction=direction):
            if np.array_equal(atoms.positions, path[-1]):
                continue  # The first item is the start itself.
            energy = atoms.get_potential_energy()
            if energy >= energies[-1]:
                end = "a rise of the energy"
                break
            path.append(atoms.positions.copy())
            energies.append(energy)
            largest = np.linalg.norm(atoms.get_forces(), axis=1).max()
            if steep and largest < config.irc_fmax_ev:
                end = "a stationary point"
                break
            steep = steep or largest > config.irc_fmax_ev
    except IRCInnerLoopConvergenceFailure:
        end = "a step that did not converge"
    if len(path) <= SHORTEST:
        raise PathError(f"the {direction} path ends at {end} after {len(path) - 1} steps")
    return path


def path_coordinate(path: np.ndarray, masses: np.ndarray, origin: int) -> np.ndarray:
    """Mass-weighted length along a path.

    Parameters
    ----------
    path
        (n, N, 3), Angstrom.
    masses
        (N,), amu.
    origin
        Index of the structure with the coordinate zero.

    Returns
    -------
    ndarray
        (n,), amu^(1/2) Angstrom.
    """
    steps = np.diff(path, axis=0) * np.sqrt(masses)[None, :, None]
    length = np.concatenate([[0.0], np.cumsum(np.sqrt((steps**2).sum(axis=(1, 2))))])
    return length - length[origin]


def choose_evenly(coordinate: np.ndarray, number: int) -> np.ndarray:
    """Choose structures evenly along a path, with both ends and the one at zero; all if there are not more.

    Parameters
    ----------
    coordinate
        (n,) ascending, with a zero.
    number
        How many to choose.

    Returns
    -------
    ndarray
        Ascending indices, at most `number`.
    """
    if len(coordinate) <= number:
        return np.arange(len(coordinate))
    origin = int(np.flatnonzero(coordinate == 0)[0])
    # Each side gets a share by its length, and at least its end.
    share = origin / (len(coordinate) - 1)
    left = min(max(round(share * (number - 1)), 1), number - 2)
    before = np.linspace(coordinate[0], 0, left + 1)[:-1]
    after = np.linspace(0, coordinate[-1], number - left)
    targets = np.concatenate([before, after])
    return np.unique(np.abs(coordinate[None, :] - targets[:, None]).argmin(axis=1))


def _mismatch(first: np.ndarray, second: np.ndarray) -> float:
    """Root mean square distance of two superimposed geometries; mirror images differ."""
    return float(np.sqrt(((superimposed(first, second) - second) ** 2).sum(axis=1).mean()))
