"""Reader of Gaussian and Q-Chem output through cclib: one file, or a directory of them, one reaction a file.

The Hessian is in Gaussian's formatted checkpoint file (formchk) and in Q-Chem's output; Gaussian's log gives
energies and forces of all geometries. cclib calls "grads" what is a force in Gaussian's log and a gradient
elsewhere.
"""

import logging
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from hessbench.data.layout import Metadata
from hessbench.errors import DataError, HessbenchError
from hessbench.formats.readers.jobs import Job, choose_jobs, drop_repeated, parse_each, split_jobs
from hessbench.formats.readers.source import Choice, Source, StoredReaction, name_of
from hessbench.formats.unit_names import Units
from hessbench.system.reading import reading

FORMAT = "Gaussian or Q-Chem output"
LIBRARIES = ("cclib.io",)
UNITS = Units("Angstrom", "Eh", "Eh/bohr", "Eh/bohr^2")
CHOICES = ("one_level",)
"""What can be picked, see `hessbench.formats.readers.source.Choice`."""
_SIGNS = {"Gaussian": 1.0, "FChk": -1.0, "QChem": -1.0}
"""What turns cclib's grads into forces, by its parser."""
_ENDS = {"Gaussian": "Normal termination of Gaussian", "QChem": "Thank you very much for using Q-Chem"}
"""What a job that came to its end says last, by cclib's parser."""
_STARTS = {
    "Gaussian": ("Entering Gaussian System", "Proceeding to internal job step", "Error termination"),
    "QChem": ("Welcome to Q-Chem", "Running Job", "Q-Chem fatal error"),
}
"""What a job says that has not come to its end, or will not."""
_ORDERS = {"SP": 0, "Scan": 0, "Guess=Only": 0, "Stability": 0, "LST": 0, "FOpt": 1, "POpt": 1, "FTS": 1,
           "PTS": 1, "FSaddle": 1, "PSaddle": 1, "Force": 1, "Freq": 2}  # fmt: skip
"""Order of the derivatives that a kind of job computes, by the second line of a checkpoint file."""
_SAME = 1e-3
"""Largest difference of the coordinates of one geometry that is printed twice, Angstrom."""
_MARKS = (b"Entering Gaussian System", b"Gaussian, Inc.", b"A Quantum Leap Into The Future Of Chemistry")


def recognise(path: Path) -> bool:
    """Whether the file, or every file of the directory, is an output of these programs."""
    if path.is_dir():
        files = _files(path)
        return bool(files) and all(recognise(file) for file in files)
    if not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(20_000)
    return any(mark in head for mark in _MARKS) or _is_checkpoint(head)


def _is_checkpoint(head: bytes) -> bool:
    lines = head.split(b"\n", 3)
    return len(lines) == 4 and lines[2].startswith(b"Number of atoms   ")


def _files(directory: Path) -> list[Path]:
    return sorted(file for file in directory.iterdir() if file.is_file() and not file.name.startswith("."))


def open_source(path: Path, choice: Choice) -> Source:
    """Open an output, or a directory of outputs.

    Parameters
    ----------
    path
        File or directory.
    choice
        At which level of theory, where there are several.

    Raises
    ------
    DataError
        An output is incomplete, its jobs do not belong together, or two outputs differ in their level of
        theory or in having Hessians.
    """
    files = _files(path) if path.is_dir() else [path]
    by_name = {file.stem: file for file in files}
    if len(by_name) < len(files):
        raise DataError(path, "two files differ only in the suffix of their names.")
    stored: dict[str, StoredReaction] = {}
    levels, packages, notes = set(), set(), []
    for name, file in by_name.items():
        jobs, package = _parse(file)
        chosen, said = choose_jobs(file, jobs, choice.one_level)
        stored[name], more = _reaction(file, name, chosen)
        levels.add(chosen[-1].level)
        packages.add(package)
        notes += [f"{file.name}: {note}" for note in (*said, *more)]
    if len(levels) > 1:
        raise DataError(path, f"different levels of theory in one set: {', '.join(sorted(levels))}.")
    with_hessian = [name for name, item in stored.items() if item.hessians is not None]
    if 0 < len(with_hessian) < len(stored):
        other = next(name for name in stored if name not in with_hessian)
        raise DataError(
            by_name[other], f"no Hessian in it, but in {by_name[with_hessian[0]].name} beside it."
        )
    about = ("unknown", *levels, "unknown", "unknown", "unknown", ", ".join(sorted(packages)))
    metadata = Metadata(name_of(path), *about)
    return Source(path, FORMAT, list(by_name), stored.__getitem__, UNITS, metadata, notes=tuple(notes))


def _parse(path: Path) -> tuple[list[Job], str]:
    """Jobs of an output, and the program that wrote it."""
    try:
        from cclib.io import ccopen
    except ImportError:
        raise HessbenchError("reading this output needs cclib: pip install 'hessbench[readers]'.") from None
    text = path.read_text(encoding="utf-8", errors="replace")
    with reading(path, "incomplete or damaged output"):
        parser = ccopen(str(path), loglevel=logging.CRITICAL)
        name = type(parser).__name__
    if name not in _SIGNS:
        raise DataError(path, "neither Gaussian nor Q-Chem output.")
    if name == "FChk":
        with reading(path, "damaged checkpoint", "run formchk again"):
            _check_arrays(path, text)
            data = parser.parse()
            data.metadata["total_energy"] = _number_in_checkpoint(text, "Total Energy")
            return [_checkpoint(path, text, _job(path, name, data, 1, 1))], _package(data)
    if text.rfind(_ENDS[name]) < max(text.rfind(start) for start in _STARTS[name]):
        raise DataError(path, "the calculation did not end normally; run it to the end.")
    pieces = split_jobs(text, _ENDS[name])
    with reading(path, "incomplete or damaged output"):
        parsed = parse_each(
            pieces, lambda piece: ccopen(str(piece), loglevel=logging.CRITICAL).parse(), path.name
        )
        jobs: list[Job] = []
        for index, (data, piece) in enumerate(zip(parsed, pieces, strict=True), 1):
            job = _job(path, name, data, index, len(parsed))
            route = _route(piece)
            level = _with_route(job.level, route)
            if jobs and re.search("allcheck|genchk", route, re.IGNORECASE):
                level = jobs[-1].level  # the later step of one job, which says less of it
            jobs.append(replace(job, level=level))
    return jobs, _package(parsed[0])


def _route(text: str) -> str:
    """What Gaussian was asked for: from the first line with # to a rule."""
    found = re.search(r"^ (#.*?)\n -{5,}", text, re.MULTILINE | re.DOTALL)
    return "" if found is None else found.group(1).replace("\n ", "")


def _with_route(level: str, route: str) -> str:
    """Level of theory with the basis set and the solvent that only the route names."""
    method, _, basis = level.partition("/")
    named = re.search(r"\s[^\s=/]+/([^\s/]+)", route)
    if basis == "unknown" and named is not None:
        basis = named.group(1)
    solvent = re.search(r"\bscrf[=(]\S+", route, re.IGNORECASE)
    return f"{method}/{basis}{f' {solvent.group(0)}' if solvent else ''}"


def _job(path: Path, parser: str, data: Any, number: int, total: int) -> Job:
    missing = [key for key in ("atomnos", "atomcoords", "scfenergies") if not hasattr(data, key)]
    if missing:
        raise DataError(path, f"no {', '.join(missing)} in the output; run it to the end, with forces.")
    numbers = np.asarray(data.atomnos)
    forces = _SIGNS[parser] * np.asarray(getattr(data, "grads", ()), dtype=float)
    return Job(
        number,
        total,
        _level(path, parser, data),
        numbers,
        getattr(data, "charge", None),
        getattr(data, "mult", None),
        np.asarray(data.atomcoords, dtype=float),
        _energies(data),
        forces.reshape(-1, len(numbers), 3),
        np.asarray(data.hessian, dtype=float) if hasattr(data, "hessian") else None,
    )


def _checkpoint(path: Path, text: str, job: Job) -> Job:
    """Take from a checkpoint file what its kind of job computes; the rest of it holds zeros or estimates.

    Raises
    ------
    DataError
        It is of a job that computes no forces.
    """
    kind = [*text.splitlines()[1].split(), ""][0]
    order = _ORDERS.get(kind, 2)
    zero = not job.forces.any() and len(job.numbers) > 1
    if order < 1 or zero:
        why = "which computes none" if order < 1 else "all of which are zero, a placeholder"
        raise DataError(path, f"holds no forces: it is of a job of kind {kind or 'unknown'}, {why}.")
    hessian = job.hessian if order == 2 and job.hessian is not None and job.hessian.any() else None
    return replace(job, hessian=hessian)


def _check_arrays(path: Path, text: str) -> None:
    """Find out whether all arrays of a formatted checkpoint file are whole; cclib is silent if not.

    Raises
    ------
    DataError
        One is cut off.
    """
    title, left = "", 0
    for line in text.splitlines():
        if left > 0:
            left -= len(line.split())
            continue
        if "   N=" in line:
            title, kind, count = line[:40].strip(), line[43:44], int(line.partition("   N=")[2])
            left = count if kind in "IR" else 0
    if left > 0:
        raise DataError(path, f"truncated: {left} numbers of {title!r} are missing; run formchk again.")


def _number_in_checkpoint(text: str, title: str) -> float | None:
    return next((float(line.split()[-1]) for line in text.splitlines() if line.startswith(title)), None)


def _package(data: Any) -> str:
    return f"{data.metadata.get('package', 'unknown')} {data.metadata.get('package_version', '')}".strip()


def _level(path: Path, parser: str, data: Any) -> str:
    """Functional or method, and basis set."""
    if parser == "FChk":  # in the second line: kind of job, method with R or U before it, basis set
        with path.open(encoding="utf-8", errors="replace") as file:
            _, method, *basis = [*[next(file, ""), next(file, "")][1].split(), "unknown", "unknown"]
        return f"{method.removeprefix('R').removeprefix('U')}/{basis[0]}"
    method = data.metadata.get("functional") or ["unknown", *data.metadata.get("methods", [])][-1]
    return f"{method}/{data.metadata.get('basis_set', 'unknown')}"


def _reaction(path: Path, name: str, jobs: list[Job]) -> tuple[StoredReaction, list[str]]:
    """Structures of all jobs, or the one that the Hessian is of; and notes."""
    last = jobs[-1]
    with_hessian = [job for job in jobs if job.hessian is not None]
    hessians, notes = None, []
    if with_hessian:
        # A frequency job: one geometry, maybe after an optimization; all else of the last one.
        coordinates, forces, energies = (
            np.concatenate([getattr(job, key) for job in jobs])
            for key in ("coordinates", "forces", "energies")
        )
        if not len(forces) or not len(energies):
            raise DataError(path, "no forces of the geometry that the Hessian is of; print them, too.")
        printed = coordinates[min(len(forces), len(coordinates)) - 1]
        if last.hessian is None or np.abs(coordinates[-1] - printed).max() > _SAME:
            raise DataError(path, "no forces of the geometry that the Hessian is of; print them, too.")
        if len(coordinates) > 1:
            notes.append(f"of {len(coordinates)} geometries only the last one, which has a Hessian, is read")
        coordinates, forces, energies = coordinates[-1:], forces[-1:], energies[-1:]
        hessians = last.hessian[None]
    else:
        for job in jobs:
            if not len(job.coordinates) == len(job.forces) == len(job.energies):
                raise DataError(
                    path,
                    f"{job.place}: {len(job.coordinates)} geometries, {len(job.energies)} energies and "
                    f"{len(job.forces)} forces do not match.",
                )
        jobs, notes = drop_repeated(jobs)
        coordinates, forces, energies = (
            np.concatenate([getattr(job, key) for job in jobs])
            for key in ("coordinates", "forces", "energies")
        )
    stored = StoredReaction(
        name=name,
        numbers=last.numbers,
        coordinates=coordinates,
        energies=energies,
        forces=forces,
        hessians=hessians,
        charge=last.charge,
        multiplicity=last.multiplicity,
    )
    return stored, notes


def _energies(data: Any) -> np.ndarray:
    """Energies in Eh, of the highest method that there are any of, as are the forces."""
    from cclib.parser.utils import convertor

    total = data.metadata.get("total_energy")
    if total is not None:
        return np.array([total])
    found = data.scfenergies
    if hasattr(data, "mpenergies"):
        found = np.asarray(data.mpenergies)[:, -1]
    if hasattr(data, "ccenergies"):
        found = data.ccenergies
    return np.array([convertor(float(energy), "eV", "hartree") for energy in found])
