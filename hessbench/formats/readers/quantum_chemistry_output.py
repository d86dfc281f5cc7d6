"""Reader of Gaussian and Q-Chem output through cclib: one file, or a directory of them, one reaction a file.

The Hessian is in Gaussian's formatted checkpoint file (formchk) and in Q-Chem's output; Gaussian's log gives
energies and forces of all geometries. cclib calls "grads" what is a force in Gaussian's log and a gradient
elsewhere.
"""

import logging
from pathlib import Path
from typing import Any

import numpy as np

from hessbench.data.layout import Metadata
from hessbench.errors import DataError, HessbenchError
from hessbench.formats.readers.source import Source, StoredReaction, name_of
from hessbench.formats.unit_names import Units
from hessbench.system.reading import reading

FORMAT = "Gaussian or Q-Chem output"
UNITS = Units("Angstrom", "Eh", "Eh/bohr", "Eh/bohr^2")
_SIGNS = {"Gaussian": 1.0, "FChk": -1.0, "QChem": -1.0}
"""What turns cclib's grads into forces, by its parser."""
_ENDS = {"Gaussian": "Normal termination of Gaussian", "QChem": "Thank you very much for using Q-Chem"}
"""What a job that came to its end says last, by cclib's parser."""
_STARTS = {
    "Gaussian": ("Entering Gaussian System", "Proceeding to internal job step", "Error termination"),
    "QChem": ("Welcome to Q-Chem", "Running Job", "Q-Chem fatal error"),
}
"""What a job says that has not come to its end, or will not."""
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


def open_source(path: Path) -> Source:
    """Open an output, or a directory of outputs.

    Raises
    ------
    DataError
        An output is incomplete, or two differ in their level of theory or in having Hessians.
    """
    files = _files(path) if path.is_dir() else [path]
    by_name = {file.stem: file for file in files}
    if len(by_name) < len(files):
        raise DataError(path, "two files differ only in the suffix of their names.")
    parsed = {name: _parse(file) for name, file in by_name.items()}
    levels = sorted({_level(by_name[name], *item) for name, item in parsed.items()})
    if len(levels) > 1:
        raise DataError(path, f"different levels of theory in one set: {', '.join(levels)}.")

    def load(name: str) -> StoredReaction:
        return _reaction(by_name[name], name, *parsed[name])

    with_hessian = [name for name, (_, data) in parsed.items() if hasattr(data, "hessian")]
    if 0 < len(with_hessian) < len(parsed):
        other = next(name for name in parsed if name not in with_hessian)
        raise DataError(
            by_name[other], f"no Hessian in it, but in {by_name[with_hessian[0]].name} beside it."
        )
    packages = sorted({_package(data) for _, data in parsed.values()})
    about = ("unknown", levels[0], "unknown", "unknown", "unknown", ", ".join(packages))
    metadata = Metadata(name_of(path), *about)
    return Source(path, FORMAT, list(by_name), load, UNITS, metadata)


def _parse(path: Path) -> tuple[str, Any]:
    """Name of cclib's parser, and what it found."""
    try:
        from cclib.io import ccopen
    except ImportError:
        raise HessbenchError("reading this output needs cclib: pip install 'hessbench[readers]'.") from None
    with reading(path, "incomplete or damaged output"):
        parser = ccopen(str(path), loglevel=logging.CRITICAL)
        if parser is None or type(parser).__name__ not in _SIGNS:
            raise DataError(path, "neither Gaussian nor Q-Chem output.")
        name, data = type(parser).__name__, parser.parse()
    text = path.read_text(encoding="utf-8", errors="replace")
    if name == "FChk":
        with reading(path, "damaged checkpoint", "run formchk again"):
            _check_arrays(path, text)
            data.metadata["total_energy"] = _number_in_checkpoint(text, "Total Energy")
    elif text.rfind(_ENDS[name]) < max(text.rfind(start) for start in _STARTS[name]):
        raise DataError(path, "the calculation did not end normally; run it to the end.")
    return name, data


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


def _reaction(path: Path, name: str, parser: str, data: Any) -> StoredReaction:
    missing = [key for key in ("atomnos", "atomcoords", "scfenergies", "grads") if not hasattr(data, key)]
    if missing:
        raise DataError(path, f"no {', '.join(missing)} in the output; run it to the end, with forces.")
    numbers = np.asarray(data.atomnos)
    coordinates = np.asarray(data.atomcoords, dtype=float)
    forces = _SIGNS[parser] * np.asarray(data.grads, dtype=float).reshape(-1, len(numbers), 3)
    energies = _energies(data)
    hessians = None
    if hasattr(data, "hessian"):
        # A frequency job: one geometry, maybe after an optimization; all else of the last one.
        printed = coordinates[min(len(forces), len(coordinates)) - 1]
        if np.abs(coordinates[-1] - printed).max() > _SAME:
            raise DataError(path, "no forces of the geometry that the Hessian is of; print them, too.")
        coordinates, forces, energies = coordinates[-1:], forces[-1:], energies[-1:]
        hessians = np.asarray(data.hessian, dtype=float)[None]
    if not len(coordinates) == len(forces) == len(energies):
        raise DataError(
            path,
            f"{len(coordinates)} geometries, {len(energies)} energies and {len(forces)} forces do not match.",
        )
    return StoredReaction(
        name=name,
        numbers=numbers,
        coordinates=coordinates,
        energies=energies,
        forces=forces,
        hessians=hessians,
        charge=int(getattr(data, "charge", 0)),
        multiplicity=int(getattr(data, "mult", 1)),
    )


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
