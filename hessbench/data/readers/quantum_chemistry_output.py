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
from hessbench.data.readers.source import Source, StoredReaction
from hessbench.data.unit_names import Units
from hessbench.errors import DataError, HessbenchError

FORMAT = "Gaussian or Q-Chem output"
UNITS = Units("Angstrom", "Eh", "Eh/bohr", "Eh/bohr^2")
_SIGNS = {"Gaussian": 1.0, "FChk": -1.0, "QChem": -1.0}
"""What turns cclib's grads into forces, by its parser."""
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

    packages = sorted({_package(data) for _, data in parsed.values()})
    metadata = Metadata(path.stem, "unknown", levels[0], "unknown", "unknown", "unknown", ", ".join(packages))
    return Source(path, FORMAT, list(by_name), load, UNITS, metadata)


def _parse(path: Path) -> tuple[str, Any]:
    """Name of cclib's parser, and what it found."""
    try:
        from cclib.io import ccopen
    except ImportError:
        raise HessbenchError("reading this output needs cclib: pip install 'hessbench[readers]'.") from None
    try:
        parser = ccopen(str(path), loglevel=logging.CRITICAL)
        if parser is None or type(parser).__name__ not in _SIGNS:
            raise DataError(path, "neither Gaussian nor Q-Chem output.")
        return type(parser).__name__, parser.parse()
    except (
        AssertionError,
        ValueError,
        IndexError,
        KeyError,
        AttributeError,
        TypeError,
        StopIteration,
    ) as error:
        raise DataError(path, f"incomplete or damaged output ({error or type(error).__name__}).") from None


def _package(data: Any) -> str:
    return f"{data.metadata.get('package', 'unknown')} {data.metadata.get('package_version', '')}".strip()


def _level(path: Path, parser: str, data: Any) -> str:
    """Functional or method, and basis set."""
    if parser == "FChk":  # in the second line: kind of job, method with R or U before it, basis set
        with path.open() as file:
            _, method, *basis = [next(file), next(file)][1].split()
        return f"{method.removeprefix('R').removeprefix('U')}/{basis[0] if basis else 'unknown'}"
    method = data.metadata.get("functional") or next(iter(data.metadata.get("methods", [])), "unknown")
    return f"{method}/{data.metadata.get('basis_set', 'unknown')}"


def _reaction(path: Path, name: str, parser: str, data: Any) -> StoredReaction:
    from cclib.parser.utils import convertor

    missing = [key for key in ("atomnos", "atomcoords", "scfenergies", "grads") if not hasattr(data, key)]
    if missing:
        raise DataError(path, f"no {', '.join(missing)} in the output; run it to the end, with forces.")
    if data.metadata.get("success") is False and parser != "FChk":
        raise DataError(path, "the calculation did not end normally.")
    numbers = np.asarray(data.atomnos)
    coordinates = np.asarray(data.atomcoords, dtype=float)
    forces = _SIGNS[parser] * np.asarray(data.grads, dtype=float).reshape(-1, len(numbers), 3)
    energies = np.array([convertor(float(energy), "eV", "hartree") for energy in data.scfenergies])
    hessians = None
    if hasattr(data, "hessian"):
        # A frequency job: one geometry, maybe after an optimization; all else of the last one.
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
