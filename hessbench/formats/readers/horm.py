"""Reader of HORM (Cui et al., arXiv:2505.12447): an LMDB of pickled torch_geometric records.

A file, or the directory of one, with keys "0", "1", ... and "length"; records with pos, energy, forces,
hessian (flat), charges or z (atomic numbers) or one_hot over H, C, N, O, F, and in the sets from Transition1x
`rxn`, the number of the reaction.
"""

import math
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from hessbench.errors import DataError, HessbenchError
from hessbench.formats.readers.restricted_pickle import decode_record
from hessbench.formats.readers.source import (
    Source,
    StoredReaction,
    group_name,
    name_variants,
    names_reactions,
    unstated,
)
from hessbench.formats.unit_names import Units
from hessbench.system.reading import reading

FORMAT = "HORM (LMDB of records)"
UNITS = Units("Angstrom", "eV", "eV/Angstrom", "eV/Angstrom^2")
ONE_HOT = np.array([1, 6, 7, 8, 9])
_MAGIC = bytes.fromhex("dec0efbe")
FORM = "HORM (T. Cui et al., arXiv:2505.12447)"
PUBLISHED = (
    "nothing in the file says at which level of theory it is: HORM's own data are at wB97X/6-31G(d), under "
    "CC BY-NC-SA 4.0; state --level, --licence and --citation"
)
"""What to do, since anybody's records may have this form."""


def recognise(path: Path) -> bool:
    """Whether the file, or that of a directory, begins like an LMDB."""
    path = _file(path)
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(20)[16:20] == _MAGIC


def _file(path: Path) -> Path:
    return path / "data.mdb" if path.is_dir() else path


def open_source(path: Path) -> Source:
    """Open an LMDB of records.

    Raises
    ------
    DataError
        The file is truncated, a record is missing, or a record holds anything but arrays and plain values.
    """
    try:
        import lmdb
    except ImportError:
        raise HessbenchError("reading HORM needs lmdb: pip install 'hessbench[readers]'.") from None
    path = _file(path)
    with reading(path, "not a readable LMDB"):
        environment = lmdb.open(
            str(path), subdir=False, readonly=True, lock=False, readahead=False, meminit=False, max_readers=1
        )
        # LMDB maps the file into memory; a page beyond the end of a truncated file would kill the process.
        expected = (environment.info()["last_pgno"] + 1) * environment.stat()["psize"]
    if path.stat().st_size < expected:
        environment.close()
        raise DataError(path, f"truncated: {path.stat().st_size} bytes of {expected}; fetch it again.")
    with reading(path, "not a readable LMDB"):
        transaction = environment.begin(buffers=False)
        length = transaction.get(b"length")
        count = environment.stat()["entries"] - (length is not None)
        of_ase = transaction.get(b"nextid") is not None
    if of_ase:
        environment.close()
        raise DataError(path, "a database of ASE, not records of HORM; write it as extended XYZ with ASE.")

    def record(key: int) -> dict[str, Any]:
        with reading(path, place=str(key)):
            data = transaction.get(str(key).encode())
        if data is None:
            raise DataError(path, "the record is missing.", str(key))
        content = _decode(path, data, str(key))
        if not isinstance(content, dict):
            raise DataError(path, "the record is no Data object or dictionary.", str(key))
        return content

    if count < 1:
        raise DataError(path, "no records in it.")
    if length is not None and _decode(path, length, "length") != count:
        stated = _decode(path, length, "length")
        raise DataError(path, f"it says that it holds {stated} records, but holds {count}; fetch it again.")
    groups, notes = _group(path, count, record)

    def load(name: str) -> StoredReaction:
        return _reaction(path, name, groups[name], record)

    about, notes = unstated(path, FORM), (*notes, PUBLISHED)
    return Source(path, FORMAT, list(groups), load, UNITS, about, notes=notes, close=environment.close)


def _decode(path: Path, data: bytes, key: str) -> Any:
    remedy = "take the file from its authors again"
    with reading(path, "refused, nothing of it was run", remedy, place=f"record {key}"):
        return decode_record(data)


def _group(path: Path, count: int, record: Any) -> tuple[dict[str, list[int]], tuple[str, ...]]:
    """Keys of the records of each reaction, those with one `rxn`, composition and atom order, and notes.

    The layout has Hessians for all structures of a reaction or none, so records without are kept apart.
    """
    given: dict[int, tuple[str | None, np.ndarray, bool]] = {}
    for key in tqdm(range(count), desc=f"index {path.name}", unit="record", delay=2, leave=False):
        with suppress(DataError):  # met again when it is loaded, as what is wrong with this record alone
            content = record(key)
            with reading(path, "incomplete record", place=f"record {key}"):
                number = content.get("rxn")
                name = None if number is None else _reaction_name(number)
                given[key] = name, _numbers(path, content, key), _labelled(content)
    meant = names_reactions((name, np.sort(z).tobytes()) for name, z, _ in given.values() if name is not None)
    groups: dict[tuple[str, bytes, bool], list[int]] = {}
    for key in range(count):
        name, numbers, labelled = given.get(key, (None, np.empty(0), False))
        # Records without a reaction are reactions of their own.
        reaction = name if name is not None and meant else f"structure{key:07d}"
        groups.setdefault((reaction, numbers.tobytes(), labelled), []).append(key)
    note = "`rxn` is the same for different compositions, so no reaction number: each record stands alone"
    names = name_variants(name for name, *_ in groups)
    return dict(zip(names, groups.values(), strict=True)), () if meant else (note,)


def _labelled(content: dict[str, Any]) -> bool:
    return content.get("hessian") is not None


def _refuse_cell(path: Path, content: dict[str, Any], key: int) -> None:
    with reading(path, f"the cell of record {key} cannot be read"):
        cell = np.asarray(content.get("cell", 0), dtype=float)
        periodic = np.any(content.get("pbc", cell))
        shown = np.round(cell, 3).tolist()
    if periodic:
        raise DataError(
            path,
            f"record {key}: the structure is periodic (cell {shown}), but the layout holds molecules; leave "
            "out `pbc` and `cell` if it is a molecule in a box.",
            f"record {key}",
        )


def _reaction_name(number: Any) -> str:
    """Name of a reaction by its number, which some write as text, like rxn000167."""
    text = str(np.asarray(number).ravel()[0]).strip()
    digits = text.removeprefix("rxn")
    return f"rxn{int(digits):06d}" if digits.isdecimal() else group_name(text)


def _numbers(path: Path, content: dict[str, Any], key: int) -> np.ndarray:
    for name in ("charges", "z", "atomic_numbers"):
        if name not in content:
            continue
        numbers = np.asarray(content[name]).ravel()
        if numbers.dtype.kind not in "iuf" or not np.isin(numbers, np.arange(1, 119)).all():
            raise DataError(path, f"{name} = {numbers.tolist()} are no atomic numbers.", f"record {key}")
        return numbers.astype(np.uint8)
    one_hot = np.asarray(content.get("one_hot", np.empty((0, 0))))
    if one_hot.ndim == 2 and one_hot.shape[1] == len(ONE_HOT):
        return ONE_HOT[one_hot.argmax(axis=1)].astype(np.uint8)
    raise DataError(path, "no atomic numbers (charges, z or one_hot) in it.", f"record {key}")


def _reaction(path: Path, name: str, keys: list[int], record: Any) -> StoredReaction:
    contents = [record(key) for key in keys]
    numbers = _numbers(path, contents[0], keys[0])
    atoms, labelled = len(numbers), _labelled(contents[0])
    shapes = {"pos": (atoms, 3), "energy": (), "forces": (atoms, 3), "hessian": (3 * atoms, 3 * atoms)}
    arrays = {key: np.full((len(keys), *shape), np.nan) for key, shape in shapes.items()}
    faults: dict[int, str] = {}
    for index, (key, content) in enumerate(zip(keys, contents, strict=True)):
        try:
            _refuse_cell(path, content, key)
            for quantity in shapes if labelled else list(shapes)[:3]:
                arrays[quantity][index] = _label(path, content, quantity, shapes[quantity], key)
        except DataError as error:
            faults[index] = error.problem
    return StoredReaction(
        name=name,
        numbers=numbers,
        coordinates=arrays["pos"],
        energies=arrays["energy"],
        forces=arrays["forces"],
        hessians=arrays["hessian"] if labelled else None,
        annotations={"record": np.array(keys)},
        charge=_stated(path, name, contents, "charge", "total_charge"),
        multiplicity=_stated(path, name, contents, "multiplicity", "spin"),
        places=tuple(f"record {key}" for key in keys),
        faults=faults,
    )


def _label(
    path: Path, content: dict[str, Any], quantity: str, shape: tuple[int, ...], key: int
) -> np.ndarray:
    """Numbers of one quantity of a record.

    Raises
    ------
    DataError
        There are none, or not as many as there should be.
    """
    value = content.get("ae") if quantity == "energy" and "energy" not in content else content.get(quantity)
    if value is None:
        there = ", ".join(content) or "nothing"
        raise DataError(path, f"record {key} has no {quantity}; it has {there}.")
    with reading(path, f"{quantity} of record {key} are no numbers"):
        numbers = np.asarray(value, dtype=float)
    turned = quantity in ("pos", "forces") and numbers.shape[-2:] != shape
    if numbers.size != math.prod(shape) or turned:
        found = "x".join(map(str, numbers.shape)) or "one number"
        expected = "x".join(map(str, shape)) or "one number"
        raise DataError(path, f"{quantity} of record {key} is {found}, expected {expected}.")
    return numbers.reshape(shape)


def _stated(path: Path, name: str, contents: list[dict[str, Any]], *keys: str) -> int | None:
    """Charge or multiplicity, one for all records of a reaction; None if none states it."""
    found = set()
    for item in contents:
        given = next((item[key] for key in keys if item.get(key) is not None), None)
        with reading(path, f"{keys[0]} is no number", place=name):
            found.add(None if given is None else float(np.asarray(given).item()))
    value = next(iter(found))
    if len(found) > 1 or (value is not None and value != int(value)):
        raise DataError(path, f"{keys[0]} must be one whole number for all records of a reaction.", name)
    return None if value is None else int(value)
