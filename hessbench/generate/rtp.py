"""The RTP set: reactants, transition states and products with energy, forces and Hessian (section 2.1)."""

from dataclasses import dataclass

import numpy as np

from hessbench.chemistry.level import Level, LevelError
from hessbench.chemistry.levels import make_level
from hessbench.chemistry.normal_modes import atomic_masses, normal_modes
from hessbench.generate.labels import collect, label
from hessbench.generate.refine import RefinementError, find_minimum, find_transition_state, is_stationary
from hessbench.reactions.geometries import ROLES, ReactionGeometries
from hessbench.system.journal import Failure, Outcome

IMAGINARY_MODES = {"R": 0, "TS": 1, "P": 0}
ATTEMPTS = 3
DISPLACEMENT = 0.2
"""Of the atom that moves most, away from a point with too many imaginary modes, Angstrom."""


@dataclass(frozen=True)
class RtpTask:
    """One reaction to label at a level, where needed after refinement to fmax (eV/Angstrom)."""

    geometries: ReactionGeometries
    level: str
    fmax: float

    @property
    def name(self) -> str:
        """Name of the reaction."""
        return self.geometries.name


def rtp_reaction(task: RtpTask) -> Outcome:
    """Label the stationary points of one reaction; see `find_labelled`.

    Returns
    -------
    Outcome
        Labels with the annotation role.
    """
    numbers = task.geometries.numbers
    coordinates, labels, roles, failures = [], [], [], []
    for role in ROLES:
        start = task.geometries.coordinates.get(role)
        if start is None:
            failures.append(Failure(role, "no starting geometry"))
            continue
        try:
            found, labelled = find_labelled(make_level(task.level, numbers), start, role, task.fmax)
        except (RefinementError, LevelError) as error:
            failures.append(Failure(role, str(error)))
            continue
        coordinates.append(found)
        labels.append(labelled)
        roles.append(role)
    return Outcome(task.name, collect(numbers, coordinates, labels, role=list(roles)), failures)


def find_labelled(
    level: Level, start: np.ndarray, role: str, fmax: float
) -> tuple[np.ndarray, tuple[float, np.ndarray, np.ndarray]]:
    """Find the stationary point near a geometry whose Hessian is as it must be, and label it.

    The Hessian must have exactly one imaginary mode at a transition state and none at a minimum. From a
    point with more of them the search goes on, more tightly, after a displacement downhill along the first
    one too many; a soft one often only means that the point was not converged well enough.

    Parameters
    ----------
    level
        Of theory, for the molecule.
    start
        (N, 3), Angstrom.
    role
        "R", "TS" or "P".
    fmax
        Largest force on an atom, eV/Angstrom.

    Returns
    -------
    coordinates
        (N, 3), Angstrom.
    labels
        As `label` gives them.

    Raises
    ------
    RefinementError
        There is none after `ATTEMPTS` attempts.
    LevelError
        A single point failed.
    """
    wanted = IMAGINARY_MODES[role]
    find = find_transition_state if role == "TS" else find_minimum
    masses = atomic_masses(level.numbers)
    for attempt in range(ATTEMPTS):
        threshold = fmax if attempt == 0 else fmax / 5
        found = start if is_stationary(level, start, threshold) else find(level, start, threshold)
        labels = label(level, found)
        modes = normal_modes(found, masses, labels[2])
        if modes.imaginary == wanted:
            return found, labels
        if modes.imaginary < wanted:
            break
        direction = modes.vectors[:, wanted].reshape(-1, 3) / np.sqrt(masses)[:, None]
        direction *= DISPLACEMENT / np.linalg.norm(direction, axis=1).max()
        start = min((found + direction, found - direction), key=lambda x: level.gradient(x)[0])
    raise RefinementError(f"{modes.imaginary} imaginary modes")
