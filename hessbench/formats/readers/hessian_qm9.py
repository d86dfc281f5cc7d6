"""Reader of Hessian QM9 (Williams et al., Sci. Data 12, 9 (2025)): Arrow streams in a directory.

A DatasetDict of the library `datasets` is a directory with one directory a solvent (vacuum, thf, toluene,
water), each with state.json and data-*.arrow. Columns energy, positions, atomic_numbers, forces, hessian
(N, 3, N, 3), label. Arrow is read as data; no script or class of the file is used.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from hessbench.errors import DataError
from hessbench.formats.readers.source import Source, StoredReaction, unstated
from hessbench.formats.unit_names import Units
from hessbench.system.reading import reading

FORMAT = "Hessian QM9 (Arrow)"
UNITS = Units("Angstrom", None, None, None)
"""The files themselves do not say; the numbers decide."""
FORM = "Hessian QM9 (N. J. Williams et al., Sci. Data 12, 9 (2025), doi:10.1038/s41597-024-04361-2)"
PUBLISHED = (
    "nothing in the file says at which level of theory it is: Hessian QM9's own data are at wB97X/6-31G* in "
    "the solvent after which their directory is called, under CC0; state --level, --licence and --citation"
)
"""What to do, since anybody's rows may have this form."""
COLUMNS = ("energy", "positions", "atomic_numbers", "forces")


def recognise(path: Path) -> bool:
    """Whether the path is a saved DatasetDict, a Dataset, or one of its Arrow streams."""
    if path.is_dir():
        return (path / "dataset_dict.json").exists() or (path / "state.json").exists()
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) == b"\xff\xff\xff\xff"


def open_source(path: Path) -> Source:
    """Open one solvent; or several, for inspection, with the solvent in the names of the reactions.

    Raises
    ------
    DataError
        A file is missing or truncated, or a column is missing.
    """
    parts = _parts(path)
    rows: dict[str, tuple[pa.RecordBatch, int]] = {}
    maps = []
    for part, files in parts.items():
        for file in files:
            with reading(file, "damaged or truncated Arrow stream"):
                memory = pa.memory_map(str(file))
            maps.append(memory)
            for batch in _batches(file, memory):
                for name, row in _labels(file, batch, len(rows)):
                    label = f"{part}-{name}" if len(parts) > 1 else name
                    if label in rows:
                        raise DataError(file, "given twice.", label)
                    rows[label] = (batch, row)
    if not rows:
        raise DataError(path, "no rows in it.")

    def load(name: str) -> StoredReaction:
        return _reaction(path, name, *rows[name])

    def close() -> None:
        rows.clear()
        for memory in maps:
            memory.close()

    several = (
        f"{len(parts)} parts ({', '.join(parts)}), which may be at different levels of theory, as the "
        f"solvents of Hessian QM9 are; name one, e.g. {path / next(iter(parts))}",
    )
    problems = several if len(parts) > 1 else ()
    about = unstated(path, FORM)
    return Source(path, FORMAT, list(rows), load, UNITS, about, problems, (PUBLISHED,), close)


def _parts(path: Path) -> dict[str, list[Path]]:
    """Arrow files of each solvent."""
    if path.is_file():
        return {path.parent.name: [path]}
    listing = path / "dataset_dict.json"
    if not listing.exists():
        return {path.name: _files(path)}
    splits = _json(listing).get("splits", [])
    if not isinstance(splits, list) or not splits or any(Path(str(item)).name != item for item in splits):
        raise DataError(listing, "names no splits.")
    return {str(split): _files(path / str(split)) for split in splits}


def _files(directory: Path) -> list[Path]:
    listing = directory / "state.json"
    listed = _json(listing)
    with reading(listing, "names no files of data"):
        entries = listed["_data_files"]
        files = [directory / Path(entry["filename"]).name for entry in entries]
    for file in files:
        if not file.is_file():
            raise DataError(file, "named by state.json, but missing.")
    return files


def _json(path: Path) -> dict[str, Any]:
    with reading(path, "missing or damaged"):
        content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise DataError(path, "is no JSON object.")
    return content


def _batches(path: Path, memory: pa.MemoryMappedFile) -> Iterator[pa.RecordBatch]:
    with reading(path, "damaged or truncated Arrow stream"), pa.ipc.open_stream(memory) as reader:
        missing = [column for column in COLUMNS if column not in reader.schema.names]
        if missing:
            there = ", ".join(reader.schema.names)
            raise DataError(
                path,
                f"the columns {', '.join(missing)} are missing; it has {there}; rename those that are meant.",
            )
        for batch in reader:
            batch.validate(full=True)  # Arrow trusts offsets and lengths, and reads at any address
            yield batch


def _labels(path: Path, batch: pa.RecordBatch, start: int) -> Iterator[tuple[str, int]]:
    if "label" not in batch.schema.names:
        yield from ((f"row{start + row:07d}", row) for row in range(batch.num_rows))
        return
    with reading(path, "its labels cannot be read"):
        labels = batch.column("label").to_pylist()
    for row, label in enumerate(labels):
        yield str(label).replace("/", "_"), row


def _reaction(path: Path, name: str, batch: pa.RecordBatch, row: int) -> StoredReaction:
    with reading(path, "columns do not fit together", place=name):
        numbers = _row(batch, "atomic_numbers", row).astype(int)
        atoms = len(numbers)
        return StoredReaction(
            name=name,
            numbers=numbers,
            coordinates=_row(batch, "positions", row).reshape(1, atoms, 3),
            energies=_row(batch, "energy", row).reshape(1),
            forces=_row(batch, "forces", row).reshape(1, atoms, 3),
            hessians=_row(batch, "hessian", row).reshape(1, 3 * atoms, 3 * atoms)
            if "hessian" in batch.schema.names and batch.column("hessian")[row].is_valid
            else None,
        )


def _row(batch: pa.RecordBatch, column: str, row: int) -> np.ndarray:
    """All numbers of one cell, in order."""
    values = batch.column(column).slice(row, 1)
    if isinstance(values, pa.ExtensionArray):
        values = values.storage
    while pa.types.is_nested(values.type):
        values = values.flatten()
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=float)
