"""The RTP set: reactants, transition states and products with energy, forces and Hessian (section 2.1)."""

from dataclasses import dataclass

from hessbench.generate.geometries import ROLES, ReactionGeometries
from hessbench.generate.labels import collect, label
from hessbench.generate.levels import LevelError, make_level
from hessbench.generate.refine import RefinementError, find_minimum, find_transition_state, is_stationary
from hessbench.generate.runner import Failure, Outcome
from hessbench.normal_modes import atomic_masses, normal_modes

IMAGINARY_MODES = {"R": 0, "TS": 1, "P": 0}


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
    """Label the stationary points of one reaction.

    A structure is taken if it is stationary at the level and its Hessian has exactly one imaginary mode
    (TS) or none (R, P).

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
        level = make_level(task.level, numbers)
        try:
            if not is_stationary(level, start, task.fmax):
                find = find_transition_state if role == "TS" else find_minimum
                start = find(level, start, task.fmax)
            labelled = label(level, start)
        except (RefinementError, LevelError) as error:
            failures.append(Failure(role, str(error)))
            continue
        imaginary = normal_modes(start, atomic_masses(numbers), labelled[2]).imaginary
        if imaginary != IMAGINARY_MODES[role]:
            failures.append(Failure(role, f"{imaginary} imaginary modes"))
            continue
        coordinates.append(start)
        labels.append(labelled)
        roles.append(role)
    return Outcome(task.name, collect(numbers, coordinates, labels, role=list(roles)), failures)
