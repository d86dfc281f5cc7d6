"""Outputs of several jobs in one file: parsed one by one, put together where they belong together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from ase import Atoms

from hessbench.errors import DataError

SAME_DISTANCES = 2e-4
"""Largest difference of interatomic distances of a geometry that two jobs print, Angstrom."""
SAME_ENERGY = 2e-6
"""Largest difference of its energies, Eh."""


@dataclass(frozen=True)
class Job:
    """What one job gives, in Eh, Angstrom and bohr.

    Attributes
    ----------
    number, total
        Which of how many it is, from 1.
    level
        Level of theory, method/basis set.
    numbers, charge, multiplicity
        Of the molecule.
    coordinates, energies, forces
        Of g geometries; energies and forces may be fewer, or none.
    hessian
        Of the last geometry, or None.
    """

    number: int
    total: int
    level: str
    numbers: np.ndarray
    charge: int | None
    multiplicity: int | None
    coordinates: np.ndarray
    energies: np.ndarray
    forces: np.ndarray
    hessian: np.ndarray | None

    @property
    def place(self) -> str:
        """Which job it is, for people."""
        return f"job {self.number} of {self.total}"


def split_jobs(text: str, end: str) -> list[str]:
    """Split an output after each line with the words that say that a job ended normally."""
    jobs, lines = [], []
    for line in text.splitlines(keepends=True):
        lines.append(line)
        if end in line:
            jobs.append("".join(lines))
            lines = []
    return jobs


def parse_each(pieces: Sequence[str], parse: Callable[[Path], Any], name: str, mark: str) -> list[Any]:
    """Parse each job as a file of its own.

    Later jobs may have no head of their own; they get the line with `mark`, by which the parser knows the
    program, however far down the file it stands.
    """
    head = next((line for line in pieces[0].splitlines(keepends=True) if mark in line), "")
    with TemporaryDirectory(prefix="hessbench-") as folder:
        found = []
        for index, piece in enumerate(pieces):
            path = Path(folder) / f"{index}-{name}"
            path.write_text(piece if mark in piece else head + piece, encoding="utf-8")
            found.append(parse(path))
        return found


def choose_jobs(path: Path, jobs: Sequence[Job], one_level: str | None) -> tuple[list[Job], list[str]]:
    """Choose the jobs that belong together, and say which are left out.

    Raises
    ------
    DataError
        They are of different molecules, charges or levels of theory, or none has forces.
    """
    formulas = list(dict.fromkeys(Atoms(numbers=job.numbers).get_chemical_formula() for job in jobs))
    if len(formulas) > 1:
        raise DataError(
            path,
            f"its jobs are of {len(formulas)} molecules ({', '.join(formulas)}); split it into one file a "
            "molecule.",
        )
    if any(not np.array_equal(job.numbers, jobs[0].numbers) for job in jobs):
        raise DataError(path, "its jobs have their atoms in different orders; split it into one file a job.")
    chosen = [job for job in jobs if len(job.forces) or job.hessian is not None]
    notes = [f"{job.place} ({job.level}) is left out: it has no forces" for job in jobs if job not in chosen]
    if not chosen:
        raise DataError(path, "no forces in the output; run it to the end, with forces.")
    levels = list(dict.fromkeys(job.level for job in chosen))
    if one_level is not None:
        if one_level not in levels:
            raise DataError(path, f"no job with forces is at {one_level}, but at {', '.join(levels)}.")
        notes += [f"{job.place} ({job.level}) is left out" for job in chosen if job.level != one_level]
        chosen = [job for job in chosen if job.level == one_level]
    elif len(levels) > 1:
        raise DataError(
            path,
            f"its jobs are at {len(levels)} levels of theory ({', '.join(levels)}); pick one by --one-level.",
        )
    silent = [job for job in chosen if job.charge is None and job.multiplicity is None]
    states = list(dict.fromkeys((job.charge, job.multiplicity) for job in chosen if job not in silent))
    if len(states) > 1:
        shown = ", ".join(f"charge {charge} and multiplicity {mult}" for charge, mult in states)
        raise DataError(path, f"its jobs are of one molecule at {shown}; split it into one file each.")
    if states:
        notes += [
            f"{job.place} states no charge, as when restarted; that of the others is taken" for job in silent
        ]
        charge, multiplicity = states[0]
        chosen = [replace(job, charge=charge, multiplicity=multiplicity) for job in chosen]
    return chosen, notes


def drop_repeated(jobs: Sequence[Job]) -> tuple[list[Job], list[str]]:
    """Leave out the last geometry of a job where the next one begins with it, as a frequency job does."""
    kept, notes = list(jobs), []
    for index in range(len(kept) - 1):
        one, other = kept[index], kept[index + 1]
        complete = len(one.coordinates) == len(one.energies) == len(one.forces) > 0
        if not complete or not len(other.forces) or not len(other.energies):
            continue
        apart = np.abs(_distances(one.coordinates[-1]) - _distances(other.coordinates[0])).max(initial=0.0)
        if apart <= SAME_DISTANCES and abs(one.energies[-1] - other.energies[0]) <= SAME_ENERGY:
            kept[index] = Job(
                one.number, one.total, one.level, one.numbers, one.charge, one.multiplicity,
                one.coordinates[:-1], one.energies[:-1], one.forces[:-1], one.hessian,
            )  # fmt: skip
            notes.append(f"the last geometry of {one.place} is the first of the next, and is read once")
    return kept, notes


def _distances(points: np.ndarray) -> np.ndarray:
    return np.asarray(np.linalg.norm(points[:, None] - points[None], axis=-1))
