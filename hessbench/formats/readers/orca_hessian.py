"""Reader of ORCA's .hess files with the .engrad file beside them: one pair, or a directory of pairs.

A .hess file is text in blocks that begin with $: `$atoms` (symbol, mass, coordinates in bohr), `$hessian`
(Eh/bohr^2, in columns of five), in newer versions `$charge` and `$multiplicity`. It has no forces, and its
energy is zero in some versions; both are in the .engrad file of the same name, which ORCA writes when it is
asked for a gradient (`! EnGrad`): numbers between lines of #, energy in Eh, gradient in Eh/bohr.
"""

from collections.abc import Iterator
from dataclasses import replace
from glob import escape
from pathlib import Path

import numpy as np
from ase.data import atomic_numbers

from hessbench.data.layout import Metadata
from hessbench.errors import DataError
from hessbench.formats.readers.source import Source, StoredReaction, name_of
from hessbench.formats.unit_names import Units
from hessbench.formats.unpack import compressed
from hessbench.system.reading import reading

FORMAT = "ORCA Hessian"
BESIDE = (".engrad",)
"""What is looked for beside a file, see `hessbench.formats.known`."""
UNITS = Units("bohr", "Eh", "Eh/bohr", "Eh/bohr^2")
_MARK = b"$orca_hessian_file"
_HEAD = 200
"""Bytes within which a .hess file says what it is."""
_MOVED = 1e-3
"""Largest difference of the coordinates of both files, bohr."""


def recognise(path: Path) -> bool:
    """Whether the file is of ORCA, or the directory has such files, and no others but their .engrad files."""
    if path.is_dir():
        files = [file for file in path.iterdir() if file.is_file() and not file.name.startswith(".")]
        hessians = [file for file in files if file.suffix != ".engrad"]
        return bool(hessians) and all(map(recognise, hessians))
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return _MARK in file.read(_HEAD)


def open_source(path: Path) -> Source:
    """Read all pairs of files.

    Raises
    ------
    DataError
        A file is damaged, or lacks the one beside it.
    """
    files = sorted(path.glob("*.hess")) if path.is_dir() else [path]
    by_name = {file.stem: file for file in files}

    def load(name: str) -> StoredReaction:
        return _reaction(by_name[name], name)

    metadata = replace(Metadata(name_of(path), *["unknown"] * 6), generator="ORCA")
    return Source(path, FORMAT, list(by_name), load, UNITS, metadata)


def _reaction(path: Path, name: str) -> StoredReaction:
    text = path.read_text(encoding="utf-8", errors="replace")
    with reading(path, "damaged or truncated ORCA Hessian", "run ORCA again"):
        blocks = dict(_blocks(text))
        count = int(blocks["atoms"][0])
        atoms = [line.split() for line in blocks["atoms"][1 : count + 1]]
        numbers = np.array([atomic_numbers[symbol.capitalize()] for symbol, *_ in atoms])
        coordinates = np.array([[float(value) for value in row[2:5]] for row in atoms]).reshape(count, 3)
        hessian = _matrix(blocks["hessian"], 3 * count)
        charge, multiplicity = (
            int(blocks[key][0]) if key in blocks else None for key in ("charge", "multiplicity")
        )
    beside = path.with_suffix(".engrad")
    if not beside.is_file():
        packed = next(filter(compressed, sorted(path.parent.glob(f"{escape(beside.name)}.*"))), None)
        remedy = f"put {beside.name} beside it, which ORCA writes with `! EnGrad`"
        remedy = f"decompress {packed.name} beside it" if packed else remedy
        raise DataError(path, f"holds no forces; {remedy}.", name)
    energy, gradient, points = _engrad(beside, count)
    if np.abs(points - coordinates).max() > _MOVED:
        raise DataError(path, f"{beside.name} beside it is of another geometry.", name)
    return StoredReaction(
        name=name,
        numbers=numbers,
        coordinates=coordinates[None],
        energies=np.array([energy]),
        forces=-gradient[None],
        hessians=hessian[None],
        charge=charge,
        multiplicity=multiplicity,
    )


def _blocks(text: str) -> Iterator[tuple[str, list[str]]]:
    """Name and lines of each block; a file that was cut off has no `$end`."""
    if "$end" not in text:
        raise ValueError("no $end")
    for part in text.split("$")[1:]:
        name, *lines = part.splitlines()
        yield name.strip(), [line for line in lines if line.strip() and not line.startswith("#")]


def _matrix(lines: list[str], size: int) -> np.ndarray:
    """Matrix in columns: a line with their numbers, then a row of each, begun by its number."""
    if int(lines[0]) != size:
        raise ValueError(f"a Hessian of dimension {lines[0].strip()} for {size} coordinates")
    matrix = np.full((size, size), np.nan)
    rows = iter(lines[1:])
    for header in rows:
        columns = [int(item) for item in header.split()]
        for _ in range(size):
            row, *values = next(rows).split()
            matrix[int(row), columns] = [float(value) for value in values]
        if columns[-1] == size - 1:
            break
    return matrix


def _engrad(path: Path, count: int) -> tuple[float, np.ndarray, np.ndarray]:
    """Energy, gradient (N, 3) and coordinates (N, 3) in atomic units."""
    with reading(path, "damaged or truncated gradient of ORCA", "run ORCA again"):
        lines = [line.split() for line in path.read_text(encoding="utf-8", errors="replace").splitlines()]
        lines = [line for line in lines if line and not line[0].startswith("#")]
        if int(lines[0][0]) != count or len(lines) != 2 + 4 * count:
            raise ValueError(f"{len(lines)} lines for {lines[0][0]} atoms, but {count} in the Hessian")
        energy = float(lines[1][0])
        gradient = np.array([float(line[0]) for line in lines[2 : 2 + 3 * count]]).reshape(count, 3)
        points = np.array([[float(value) for value in line[1:4]] for line in lines[2 + 3 * count :]])
    return energy, gradient, points
