"""Reader of Gaussian and Q-Chem output through cclib: one file, or a directory of them, one reaction a file.

The Hessian is in Gaussian's formatted checkpoint file (formchk) and in Q-Chem's output; Gaussian's log gives
energies and forces of all geometries. cclib calls "grads" what is a force in Gaussian's log and a gradient
elsewhere.
"""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from hessbench.data.layout import Metadata
from hessbench.errors import DataError, HessbenchError
from hessbench.formats.readers.checkpoint_file import is_checkpoint, read_checkpoint
from hessbench.formats.readers.jobs import Job, choose_jobs, drop_repeated, parse_each, split_jobs
from hessbench.formats.readers.source import Choice, Source, StoredReaction, name_of
from hessbench.formats.unit_names import Units
from hessbench.system.reading import reading

FORMAT = "Gaussian or Q-Chem output"
LIBRARIES = ("cclib.io",)
UNITS = Units("Angstrom", "Eh", "Eh/bohr", "Eh/bohr^2")
CHOICES = ("one_level",)
"""What can be picked, see `hessbench.formats.readers.source.Choice`."""
_SIGNS = {"Gaussian": 1.0, "QChem": -1.0}
"""What turns cclib's grads into forces, by its parser."""
_ENDS = {"Gaussian": "Normal termination of Gaussian", "QChem": "Thank you very much for using Q-Chem"}
"""What a job that came to its end says last, by cclib's parser."""
_STARTS = {
    "Gaussian": ("Entering Gaussian System", "Proceeding to internal job step", "Error termination"),
    "QChem": ("Welcome to Q-Chem", "Running Job", "Q-Chem fatal error"),
}
"""What a job says that has not come to its end, or will not."""
_NEEDED = {"atomnos": "atoms", "atomcoords": "coordinates", "scfenergies": "energies"}
"""What every job prints, by cclib's names."""
_SAME = 1e-3
"""Largest difference of the coordinates of one geometry that is printed twice, Angstrom."""
_KNOWN = {"Gaussian": "Gaussian, Inc.", "QChem": "A Quantum Leap Into The Future Of Chemistry"}
"""Words by which cclib knows the program, by its parser."""
_MARKS = (b"Entering Gaussian System", *(words.encode() for words in _KNOWN.values()))


def recognise(path: Path) -> bool:
    """Whether the file, or every file of the directory, is an output of these programs."""
    if path.is_dir():
        files = _files(path)
        return bool(files) and all(recognise(file) for file in files)
    if not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(20_000)
    return any(mark in head for mark in _MARKS) or is_checkpoint(head.decode("utf-8", "replace"))


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
        theory.
    """
    files = _files(path) if path.is_dir() else [path]
    by_name = {file.stem: file for file in files}
    if len(by_name) < len(files):
        raise DataError(path, "two files differ only in the suffix of their names.")
    stored: dict[str, StoredReaction] = {}
    levels, packages, notes = set(), set(), []
    for name, file in by_name.items():
        jobs, package, empty = _parse(file)
        chosen, said = choose_jobs(file, jobs, choice.one_level)
        stored[name], more = _reaction(file, name, chosen)
        levels.add(chosen[-1].level)
        packages.add(package)
        notes += [f"{file.name}: {note}" for note in (*empty, *said, *more)]
    if len(levels) > 1:
        raise DataError(path, f"different levels of theory in one set: {', '.join(sorted(levels))}.")
    without = [by_name[name].name for name, item in stored.items() if item.hessians is None]
    if 0 < len(without) < len(stored):
        notes.append(f"no Hessian in {len(without)} of {len(stored)} outputs, {without[0]} for one")
    about = ("unknown", *levels, "unknown", "unknown", "unknown", ", ".join(sorted(packages)))
    metadata = Metadata(name_of(path), *about)
    return Source(path, FORMAT, list(by_name), stored.__getitem__, UNITS, metadata, notes=tuple(notes))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what cclib logs, whatever level it is given, from the output: errors say what matters."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


def _parse(path: Path) -> tuple[list[Job], str, list[str]]:
    """Jobs of an output, the program that wrote it, and what is said of jobs that printed nothing."""
    text = path.read_text(encoding="utf-8", errors="replace")
    if is_checkpoint(text):
        with reading(path, "damaged checkpoint", "run formchk again"):
            return [read_checkpoint(path, text)], "formatted checkpoint file", []
    try:
        from cclib.io import ccopen
    except ImportError:
        raise HessbenchError("reading this output needs cclib: pip install 'hessbench[readers]'.") from None
    with _quiet(), reading(path, "incomplete or damaged output"):
        name = type(ccopen(str(path), loglevel=logging.CRITICAL)).__name__
    if name not in _SIGNS:
        raise DataError(path, "neither Gaussian nor Q-Chem output.")
    if text.rfind(_ENDS[name]) < max(text.rfind(start) for start in _STARTS[name]):
        raise DataError(path, "the calculation did not end normally; run it to the end.")
    pieces = split_jobs(text, _ENDS[name])
    with _quiet(), reading(path, "incomplete or damaged output"):
        parsed = parse_each(
            pieces,
            lambda piece: ccopen(str(piece), loglevel=logging.CRITICAL).parse(),
            path.name,
            _KNOWN[name],
        )
        jobs: list[Job] = []
        empty = [not any(hasattr(data, key) for key in _NEEDED) for data in parsed]
        for index, (data, piece) in enumerate(zip(parsed, pieces, strict=True), 1):
            if empty[index - 1] and not all(empty):
                continue
            job = _job(path, name, data, index, len(parsed))
            route = _route(piece)
            level = _with_route(job.level, route)
            if jobs and re.search("allcheck|genchk", route, re.IGNORECASE):
                level = jobs[-1].level  # the later step of one job, which says less of it
            jobs.append(replace(job, level=level))
    total = len(parsed)
    notes = [
        f"job {k} of {total} is left out: it printed no structure"
        for k in range(1, total + 1)
        if empty[k - 1]
    ]
    return jobs, _package(parsed[0]), notes


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
    missing = [what for key, what in _NEEDED.items() if not hasattr(data, key)]
    if missing:
        raise DataError(path, f"no {', '.join(missing)} in the output; run it to the end, with forces.")
    numbers = np.asarray(data.atomnos)
    forces = _SIGNS[parser] * np.asarray(getattr(data, "grads", ()), dtype=float)
    return Job(
        number,
        total,
        _level(data),
        numbers,
        getattr(data, "charge", None),
        getattr(data, "mult", None),
        np.asarray(data.atomcoords, dtype=float),
        _energies(data),
        forces.reshape(-1, len(numbers), 3),
        np.asarray(data.hessian, dtype=float) if hasattr(data, "hessian") else None,
    )


def _package(data: Any) -> str:
    return f"{data.metadata.get('package', 'unknown')} {data.metadata.get('package_version', '')}".strip()


def _level(data: Any) -> str:
    """Functional or method, and basis set."""
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

    found = data.scfenergies
    if hasattr(data, "mpenergies"):
        found = np.asarray(data.mpenergies)[:, -1]
    if hasattr(data, "ccenergies"):
        found = data.ccenergies
    return np.array([convertor(float(energy), "eV", "hartree") for energy in found])
