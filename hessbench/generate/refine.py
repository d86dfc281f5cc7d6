"""Stationary points at a level of theory, from geometries optimised at another one.

Minima by L-BFGS (Liu and Nocedal, Math. Program. 45, 503 (1989)), transition states by Sella (Hermes et al.,
J. Chem. Theory Comput. 18, 6974 (2022)) in Cartesian coordinates, started from a difference Hessian.
"""

import os
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.optimize import LBFGS

from hessbench.chemistry.bonds import sure_changes
from hessbench.chemistry.level import Level, LevelError, forward_difference_hessian
from hessbench.chemistry.levels import LevelCalculator, make_level
from hessbench.reactions.geometries import ReactionGeometries
from hessbench.system.journal import Failure, Outcome
from hessbench.units import EV

MINIMUM_STEPS = 500
SADDLE_STEPS = 150
INITIAL_CURVATURE = 40.0
"""L-BFGS starts from this curvature, eV/Angstrom^2: a third fewer steps for these molecules than ASE's 70."""


class RefinementError(Exception):
    """An optimization did not give what was asked for."""


@dataclass(frozen=True)
class RefineTask:
    """One reaction to refine at a level until no force on an atom exceeds fmax (eV/Angstrom)."""

    geometries: ReactionGeometries
    level: str
    fmax: float

    @property
    def name(self) -> str:
        """Name of the reaction."""
        return self.geometries.name


def refine_reaction(task: RefineTask) -> Outcome:
    """Refine the structures of one reaction.

    All are checked for convergence, minima also for unchanged bonds. That a transition state has exactly one
    imaginary mode and a minimum none is checked where they are labelled (`hessbench.generate.rtp`).

    Returns
    -------
    Outcome
        Arrays numbers (N,) and, of those that came out, R, TS, P (N, 3) in Angstrom.
    """
    numbers = task.geometries.numbers
    outcome = Outcome(task.name, {"numbers": numbers})
    for role in ("R", "TS", "P"):
        start = task.geometries.coordinates.get(role)
        if start is None:
            outcome.failures.append(Failure(role, "no starting geometry"))
            continue
        level = make_level(task.level, numbers)
        try:
            if role == "TS":
                outcome.arrays[role] = find_transition_state(level, start, task.fmax)
            else:
                outcome.arrays[role] = find_minimum(level, start, task.fmax)
        except (RefinementError, LevelError) as error:
            outcome.failures.append(Failure(role, str(error)))
    return outcome


def is_stationary(level: Level, coordinates: np.ndarray, fmax: float) -> bool:
    """Tell whether no force on an atom exceeds fmax (eV/Angstrom); coordinates (N, 3) in Angstrom."""
    return bool(np.linalg.norm(level.gradient(coordinates)[1], axis=1).max() / EV <= fmax)


def find_minimum(level: Level, start: np.ndarray, fmax: float) -> np.ndarray:
    """Minimise the energy of a molecule that must stay the same one.

    Parameters, returned array as `minimise`.

    Raises
    ------
    RefinementError
        Not converged, or a bond was broken or made on the way.
    LevelError
        A single point failed.
    """
    found = minimise(level, start, fmax)
    changed = changed_bonds(level.numbers, start, found)
    if changed:
        raise RefinementError(f"bonds changed on the way to the minimum: {changed}")
    return found


def minimise(level: Level, start: np.ndarray, fmax: float) -> np.ndarray:
    """Minimise the energy, whatever becomes of the bonds.

    Parameters
    ----------
    level
        Of theory, for the molecule.
    start
        (N, 3), Angstrom.
    fmax
        Largest force on an atom, eV/Angstrom.

    Returns
    -------
    ndarray
        (N, 3), Angstrom.

    Raises
    ------
    RefinementError
        Not converged.
    LevelError
        A single point failed.
    """
    atoms = Atoms(level.numbers, start, calculator=LevelCalculator(level))
    optimizer = LBFGS(atoms, logfile=os.devnull, alpha=INITIAL_CURVATURE)
    if not optimizer.run(fmax=fmax, steps=MINIMUM_STEPS):
        raise RefinementError(f"minimum not converged in {MINIMUM_STEPS} steps")
    return atoms.positions.copy()


def find_transition_state(level: Level, start: np.ndarray, fmax: float) -> np.ndarray:
    """Find the first-order saddle point near a geometry.

    That it has exactly one imaginary mode is checked where it is labelled (`hessbench.generate.rtp`): a
    Hessian costs as much as the search. Parameters and returned array as in `find_minimum`.

    Raises
    ------
    RefinementError
        Not converged.
    LevelError
        A single point failed.
    """
    from sella import Sella  # loads jax and torch, which takes seconds: only where it is used

    atoms = Atoms(level.numbers, start, calculator=LevelCalculator(level))
    optimizer = Sella(
        atoms,
        order=1,
        internal=False,
        logfile=os.devnull,
        hessian_function=lambda at: forward_difference_hessian(level.gradient, at.positions) / EV,
    )
    try:
        converged = optimizer.run(fmax=fmax, steps=SADDLE_STEPS)
    except (RuntimeError, ValueError, np.linalg.LinAlgError) as error:
        raise RefinementError(f"saddle point search failed: {error}") from error
    if not converged:
        raise RefinementError(f"saddle point not converged in {SADDLE_STEPS} steps")
    return atoms.positions.copy()


def changed_bonds(numbers: np.ndarray, before: np.ndarray, after: np.ndarray) -> str:
    """Name the bonds that one geometry surely has and another one surely has not, e.g. "3-7 broken"."""
    broken, made = sure_changes(numbers, before, after)
    return ", ".join([f"{i}-{j} broken" for i, j in broken] + [f"{i}-{j} made" for i, j in made])
