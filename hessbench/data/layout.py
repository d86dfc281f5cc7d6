"""The one file layout of all data sets: reader and writer (docs/data-layout.md describes it).

It is the HDF5 layout of OpenREACT-CHON-EFH, one group a reaction, with file attributes that say where the
data come from. Files hold Eh and Angstrom; what is read from them is in kcal/mol and Angstrom.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from ase.data import atomic_numbers, chemical_symbols

from hessbench.errors import DataError
from hessbench.system.files import replacing
from hessbench.system.hdf5 import created, member, members, opened, read_array
from hessbench.system.reading import reading
from hessbench.units import HARTREE

FORMAT_VERSION = 1
UNITS = {
    "coordinates": "Angstrom",
    "energies": "Eh",
    "forces": "Eh/Angstrom",
    "hessian": "Eh/Angstrom^2",
    "path_coordinate": "amu^(1/2) Angstrom",
    "temperature": "K",
}
ASYMMETRY = 1e-4
"""Largest |H - H^T| that is taken for rounding, in units of the largest element of H."""
HESSIAN_RESOLUTION = 2.0**-15
"""Hessians are stored as multiples of this, Eh/Angstrom^2 (0.019 kcal/mol/Angstrom^2).

The rounding error, 0.0055 kcal/mol/Angstrom^2 root mean square, is a sixth of the noise of a Hessian from
central differences of GFN2-xTB gradients.
"""

_REQUIRED = ("species", "coordinates", "energies", "forces")
_LAYOUT = (*_REQUIRED, "hessian")
_SKIPPED = ("iform",)
UNKNOWN = "unknown"
"""What a file does not state of itself."""
_TEXT = ("name", "version", "level", "origin", "licence", "citation", "generator")


@dataclass(frozen=True)
class Metadata:
    """What a data set is and where it comes from; all plain text.

    Attributes
    ----------
    name, version
        Of the data set.
    level
        Level of theory of the labels.
    origin
        Where the geometries come from and how they were made.
    licence, citation
        What whoever uses the data has to respect and to cite.
    generator
        Program and version that wrote the file.
    """

    name: str
    version: str
    level: str
    origin: str
    licence: str
    citation: str
    generator: str


@dataclass(frozen=True)
class Reaction:
    """Labelled structures of one reaction, all of one composition and atom order.

    Attributes
    ----------
    name
        Of the reaction, `rxnNNNNNN`.
    numbers
        (N,) uint8 atomic numbers.
    coordinates
        (n, N, 3), Angstrom.
    energies
        (n,), kcal/mol.
    forces
        (n, N, 3), kcal/mol/Angstrom.
    hessians
        (n, 3N, 3N), kcal/mol/Angstrom^2, symmetric; None if there are none.
    annotations
        Further arrays whose first axis is n, e.g. role, path_coordinate, parent, temperature.
    charge, multiplicity
        Of the molecule.
    """

    name: str
    numbers: np.ndarray
    coordinates: np.ndarray
    energies: np.ndarray
    forces: np.ndarray
    hessians: np.ndarray | None = None
    annotations: dict[str, np.ndarray] = field(default_factory=dict)
    charge: int = 0
    multiplicity: int = 1

    def __len__(self) -> int:
        """Number of structures."""
        return len(self.energies)


class ReactionFile:
    """A data file, open for reading one reaction at a time.

    Parameters
    ----------
    path
        HDF5 file, of this program or as published.

    Raises
    ------
    DataError
        The file is missing, truncated, no HDF5, of a newer format, or holds no reactions or one twice.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        with reading(path, "not a readable HDF5 file, or a truncated one"):
            self._file = opened(self.path)
        try:
            with reading(path, "its header cannot be read"):
                self._read_header()
        except DataError:
            self._file.close()
            raise

    def _read_header(self) -> None:
        attributes = self._file.attrs
        self._ours = "format_version" in attributes
        self._checksum: str | None = None
        if self._ours:
            version = int(attributes["format_version"])
            if version > FORMAT_VERSION:
                raise DataError(
                    self.path,
                    f"format version {version}, this program reads up to {FORMAT_VERSION}; update it.",
                )
            missing = [key for key in (*_TEXT, "checksum") if key not in attributes]
            if missing:
                raise DataError(self.path, f"the file attributes {', '.join(missing)} are missing.")
            self.metadata = Metadata(**{key: _text(attributes[key]) for key in _TEXT})
            self._checksum = _text(attributes["checksum"])
            recorded = attributes.get("metadata_checksum")  # files of earlier versions have none
            if recorded is not None and _text(recorded) != _metadata_checksum(self.metadata):
                raise DataError(
                    self.path, "its metadata are not those of their checksum, it is damaged; get it again."
                )
        else:
            unknown = dict.fromkeys(_TEXT, UNKNOWN)
            self.metadata = Metadata(**{**unknown, "name": self.path.stem})
        found = members(self._file)
        self.names = sorted(name for name, item in found.items() if isinstance(item, h5py.Group))
        stated = int(attributes.get("reactions", len(self.names))) if self._ours else len(self.names)
        if stated != len(self.names):
            raise DataError(
                self.path, f"holds {len(self.names)} of {stated} reactions, it is damaged; get it again."
            )
        if not self.names and "names" in self._file:
            raise DataError(
                self.path, "holds geometries without labels; `hessbench generate rtp FILE` labels them."
            )
        if not self.names:
            raise DataError(self.path, "no reactions (HDF5 groups) in it.")
        seen: dict[Any, str] = {}
        for name in self.names:
            number = re.fullmatch(r"rxn0*(\d+)", name)
            info = h5py.h5o.get_info(self._file[name].id)
            for key in (info.addr, *([number.group(1)] if number else [])):
                if key in seen:
                    raise DataError(self.path, f"the same reaction as {seen[key]}.", name)
                seen[key] = name

    def __enter__(self) -> "ReactionFile":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __len__(self) -> int:
        """Number of reactions."""
        return len(self.names)

    def __iter__(self) -> Iterator[Reaction]:
        """Read the reactions in the order of their names."""
        return (self[name] for name in self.names)

    def __getitem__(self, name: str) -> Reaction:
        """Read a reaction and check it.

        Raises
        ------
        DataError
            It is missing, or its data are incomplete, damaged or of wrong shapes, hold unknown elements or
            numbers that are not finite, or a Hessian is not symmetric; or they are not those of their
            recorded checksum.
        """
        content = self._read(name)
        with reading(self.path, "cannot be read, the file is damaged", place=name):
            # earlier versions recorded none
            recorded = self._file[name].attrs.get("digest") if self._ours else None
            if recorded is not None and _text(recorded) != _digest(*content).hex():
                problem = "does not have its recorded checksum, it is damaged; get it again."
                raise DataError(self.path, problem, name)
        return _to_reaction(self.path, name, *content)

    @property
    def records_checksum(self) -> bool:
        """Whether the file says what its checksum should be."""
        return self._ours

    @property
    def checksum(self) -> str:
        """SHA-256 (hexadecimal) of the content, as recorded in the file, or computed if it records none."""
        if self._checksum is None:
            self._checksum = self.compute_checksum()
        return self._checksum

    @property
    def identifier(self) -> str:
        """Name, version, level of theory and the first 12 digits of the checksum."""
        metadata = self.metadata
        return f"{metadata.name} {metadata.version} {metadata.level} {self.checksum[:12]}"

    def compute_checksum(self) -> str:
        """Compute the checksum of the content (see `content_checksum`)."""
        return content_checksum({name: _digest(*self._read(name)) for name in self.names})

    def _read(self, name: str) -> tuple[dict[str, np.ndarray], int, int]:
        """Arrays of a reaction as stored, charge and multiplicity; shapes are not checked yet."""
        if name not in self._file:
            raise DataError(self.path, "no such reaction in the file.", name)
        with reading(self.path, "cannot be read, the file is damaged", place=name):
            group = member(self._file, name)
            if not isinstance(group, h5py.Group):
                raise DataError(self.path, "is a dataset, not a group.", name)
            absent = [key for key in _REQUIRED if key not in group]
            if absent:
                found = ", ".join(group) or "nothing"
                raise DataError(self.path, f"the dataset {absent[0]} is missing; it has {found}.", name)
            # Published files may hold further datasets of any form; ours hold annotations and nothing else.
            keys = [key for key in group if key not in _SKIPPED and (self._ours or key in _LAYOUT)]
            arrays = {key: read_array(group, key) for key in keys}
            charge, multiplicity, nat = (
                self._whole_number(group, key, usual)
                for key, usual in (("crg", 0), ("mult", 1), ("nat", arrays["species"].size))
            )
        if nat != arrays["species"].size:
            raise DataError(
                self.path,
                f"the attribute nat is {nat}, but species names {arrays['species'].size} atoms.",
                name,
            )
        return arrays, charge, multiplicity

    def _whole_number(self, group: h5py.Group, key: str, usual: int) -> int:
        """Read an attribute; `usual` where there is none."""
        value = np.asarray(group.attrs.get(key, usual))
        if value.size != 1 or value.dtype.kind not in "iuf" or value.item() % 1 != 0:
            problem = f"the attribute {key} is {group.attrs[key]!r}, expected a whole number."
            raise DataError(self.path, problem, group.name.lstrip("/"))
        return int(value.item())


def write_reactions(
    path: Path | str, reactions: Iterable[Reaction], metadata: Metadata | Callable[[], Metadata]
) -> None:
    """Write a data file; a file of this name is replaced only when the new one is complete.

    The same reactions in the same order give the same bytes. Hessians are rounded to multiples of
    `HESSIAN_RESOLUTION` and stored, like forces, in single precision; coordinates and energies in double.

    Parameters
    ----------
    path
        Where to.
    reactions
        Taken one at a time.
    metadata
        About the data set; a function is called when all reactions are written.

    Raises
    ------
    DataError
        A reaction is given twice, or its arrays do not fit together (see `ReactionFile.__getitem__`).
    """
    path = Path(path)
    digests: dict[str, bytes] = {}
    # From 1.10 on, HDF5 guards its own structures by checksums; fletcher32 guards the data.
    with replacing(path) as temporary, created(temporary, libver=("v110", "v110")) as file:
        for reaction in reactions:
            if reaction.name in digests:
                raise DataError(path, "given twice.", reaction.name)
            arrays = _to_arrays(reaction)
            _to_reaction(path, reaction.name, arrays, reaction.charge, reaction.multiplicity)
            group = file.create_group(reaction.name)
            group.attrs.update(
                {"crg": reaction.charge, "mult": reaction.multiplicity, "nat": len(reaction.numbers)}
            )
            for key, array in arrays.items():
                group.create_dataset(
                    key, data=array, chunks=array.shape, compression=9, shuffle=True, fletcher32=True
                )
            digests[reaction.name] = _digest(arrays, reaction.charge, reaction.multiplicity)
            group.attrs["digest"] = digests[reaction.name].hex()
        if not digests:
            raise DataError(path, "there are no reactions to write.")
        about = metadata() if callable(metadata) else metadata
        file.attrs.update(asdict(about))
        file.attrs["metadata_checksum"] = _metadata_checksum(about)
        file.attrs["units"] = json.dumps(UNITS)
        file.attrs["format_version"] = FORMAT_VERSION
        file.attrs["reactions"] = len(digests)
        file.attrs["checksum"] = content_checksum(digests)


def verify(path: Path | str) -> ReactionFile:
    """Read and check every reaction of a file and compare the recorded checksum with the content.

    Returns
    -------
    ReactionFile
        The open file.

    Raises
    ------
    DataError
        Something is wrong with it.
    """
    file = ReactionFile(path)
    try:
        for _ in file:
            pass
        if file.records_checksum and (computed := file.compute_checksum()) != file.checksum:
            raise DataError(
                path, f"the content has the checksum {computed}, the file records {file.checksum}."
            )
    except DataError:
        file.close()
        raise
    return file


def content_checksum(digests: dict[str, bytes]) -> str:
    """SHA-256 over the reactions, sorted by name: names, values at stored precision, charges, multiplicities.

    It does not depend on compression, chunks, the order of writing or the metadata.
    """
    total = hashlib.sha256()
    for name in sorted(digests):
        total.update(name.encode() + b"\0" + digests[name])
    return total.hexdigest()


def _metadata_checksum(metadata: Metadata) -> str:
    """SHA-256 of the metadata: HDF5 keeps longer texts where no checksum of its own guards them."""
    return hashlib.sha256(json.dumps(asdict(metadata)).encode()).hexdigest()


def _digest(arrays: dict[str, np.ndarray], charge: int, multiplicity: int) -> bytes:
    digest = hashlib.sha256(f"{charge} {multiplicity}".encode())
    for key in sorted(arrays):
        array = np.ascontiguousarray(arrays[key])
        array = array.astype(array.dtype.newbyteorder("<"), copy=False)
        digest.update(f"\0{key} {array.dtype.str} {array.shape}\0".encode())
        digest.update(array.tobytes())
    return digest.digest()


def _to_arrays(reaction: Reaction) -> dict[str, np.ndarray]:
    """Arrays as the file holds them."""
    arrays = {
        "species": np.array([chemical_symbols[number] for number in reaction.numbers], dtype="S2"),
        "coordinates": np.asarray(reaction.coordinates, dtype="<f8"),
        "energies": np.asarray(reaction.energies, dtype=float) / HARTREE,
        "forces": (np.asarray(reaction.forces, dtype=float) / HARTREE).astype("<f4"),
    }
    if reaction.hessians is not None:
        steps = np.asarray(reaction.hessians, dtype=float) / (HARTREE * HESSIAN_RESOLUTION)
        # Adding zero turns -0.0 into 0.0.
        arrays["hessian"] = (np.rint(steps) * HESSIAN_RESOLUTION + 0.0).astype("<f4")
    for key, value in reaction.annotations.items():
        if key in _LAYOUT or key in _SKIPPED:
            raise DataError(reaction.name, f"an annotation cannot have the name {key}.")
        array = np.asarray(value)
        arrays[key] = np.char.encode(array, "utf-8") if array.dtype.kind == "U" else array
    return arrays


def _to_reaction(
    path: Path, name: str, arrays: dict[str, np.ndarray], charge: int, multiplicity: int
) -> Reaction:
    """Check the arrays of a reaction and convert their units."""
    if arrays["species"].dtype.kind != "S":
        raise DataError(
            path, f"species is of type {arrays['species'].dtype}, expected element symbols.", name
        )
    # Fortran's texts are padded
    symbols = [item.decode("ascii", "replace").strip() for item in arrays["species"].ravel().tolist()]
    unknown = sorted({symbol for symbol in symbols if atomic_numbers.get(symbol, 0) == 0})
    if unknown or arrays["species"].ndim != 1 or not symbols:
        raise DataError(path, f"species has unknown elements {unknown} or is not a list of elements.", name)
    atoms, structures = len(symbols), len(arrays["energies"]) if arrays["energies"].ndim else 0
    if not structures:
        raise DataError(path, "no structures (energies is empty or a scalar).", name)
    shapes = {
        "coordinates": (structures, atoms, 3),
        "energies": (structures,),
        "forces": (structures, atoms, 3),
        "hessian": (structures, 3 * atoms, 3 * atoms),
    }
    for key, array in arrays.items():
        if key == "species":
            continue
        expected = shapes.get(key, (structures, *array.shape[1:]))
        if array.shape != expected:
            raise DataError(path, f"{key} has the shape {array.shape}, expected {expected}.", name)
        if key in shapes and array.dtype.kind != "f":
            raise DataError(path, f"{key} is of type {array.dtype}, expected floating point.", name)
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise DataError(path, f"{key} holds numbers that are not finite.", name)
    hessians = None
    if "hessian" in arrays:
        hessians = arrays["hessian"].astype(float)
        transposed = hessians.transpose(0, 2, 1)
        largest = np.abs(hessians).max(axis=(1, 2))
        asymmetry = np.abs(hessians - transposed).max(axis=(1, 2))
        if (asymmetry > ASYMMETRY * largest).any():
            worst = int(np.argmax(asymmetry - ASYMMETRY * largest))
            raise DataError(
                path,
                f"the Hessian of structure {worst} is not symmetric: the largest |H - H^T| is "
                f"{asymmetry[worst]:.3g} Eh/Angstrom^2, the largest element {largest[worst]:.3g}.",
                name,
            )
        hessians = (hessians + transposed) * (HARTREE / 2)
    annotations = {
        key: np.char.decode(array, "utf-8") if array.dtype.kind == "S" else array
        for key, array in arrays.items()
        if key not in _LAYOUT
    }
    return Reaction(
        name=name,
        numbers=np.array([atomic_numbers[symbol] for symbol in symbols], dtype=np.uint8),
        coordinates=arrays["coordinates"].astype(float),
        energies=arrays["energies"].astype(float) * HARTREE,
        forces=arrays["forces"].astype(float) * HARTREE,
        hessians=hessians,
        annotations=annotations,
        charge=charge,
        multiplicity=multiplicity,
    )


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
