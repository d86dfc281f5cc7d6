"""Reader of the one layout: files of this program, and those of OpenREACT-CHON-EFH as published."""

import hashlib
from itertools import islice
from pathlib import Path

import h5py

from hessbench.data.layout import Metadata, Reaction, ReactionFile
from hessbench.errors import DataError
from hessbench.formats.published import OPENREACT
from hessbench.formats.readers.source import DAMAGED, REMEDY, Source, StoredReaction
from hessbench.formats.unit_names import Units
from hessbench.system.hdf5 import member
from hessbench.system.reading import reading
from hessbench.units import HARTREE

FORMAT = "hessbench or OpenREACT-CHON-EFH (HDF5)"
FIRST = 20
"""Groups of a file by which it is recognised."""
OURS = "hessbench (HDF5)"
PUBLISHED = "OpenREACT-CHON-EFH (HDF5)"


def recognise(path: Path) -> bool:
    """Whether the file is HDF5 whose groups hold species, coordinates, energies and forces."""
    if not path.is_file() or not h5py.is_hdf5(path):
        return False
    with reading(path, DAMAGED, REMEDY), h5py.File(path, "r") as file:
        if "format_version" in file.attrs:
            return True
        # One of the first few, as the first may be damaged.
        found = (member(file, name) for name in islice(file, FIRST))
        return any(isinstance(item, h5py.Group) and {"species", "coordinates"} <= set(item) for item in found)


def open_source(path: Path) -> Source:
    """Open a file in the one layout; the unit of the Hessians of a published file is left to the numbers.

    Raises
    ------
    DataError
        See `ReactionFile`.
    """
    file = ReactionFile(path)
    with reading(path, DAMAGED, REMEDY), h5py.File(path, "r") as header:
        ours = "format_version" in header.attrs
        first = member(header, file.names[0])
        keys = set(first)
    misnamed = [key for key in keys - {"hessian"} if "hess" in key.lower()]
    if not ours and "hessian" not in keys and misnamed:
        file.close()
        raise DataError(path, f"its Hessians are called {misnamed[0]!r}; the layout calls them 'hessian'.")
    metadata = file.metadata if ours else _published_metadata(path) or file.metadata
    units = Units("Angstrom", "Eh", "Eh/Angstrom", "Eh/Angstrom^2" if ours else None)

    def load(name: str) -> StoredReaction:
        return _stored(file[name])

    return Source(path, OURS if ours else PUBLISHED, file.names, load, units, metadata, close=file.close)


def _stored(reaction: Reaction) -> StoredReaction:
    return StoredReaction(
        name=reaction.name,
        numbers=reaction.numbers,
        coordinates=reaction.coordinates,
        energies=reaction.energies / HARTREE,
        forces=reaction.forces / HARTREE,
        hessians=None if reaction.hessians is None else reaction.hessians / HARTREE,
        annotations=reaction.annotations,
        charge=reaction.charge,
        multiplicity=reaction.multiplicity,
    )


def _published_metadata(path: Path) -> Metadata | None:
    """Metadata of the published file that this one is, by size and checksum."""
    for file in OPENREACT.files:
        if path.stat().st_size != file.size:
            continue
        with path.open("rb") as stream:
            if hashlib.file_digest(stream, "md5").hexdigest() == file.md5:
                return Metadata(
                    name=f"{OPENREACT.name} {file.name.removeprefix('molecules-').removesuffix('.h5')}",
                    version=OPENREACT.version,
                    level=OPENREACT.level,
                    origin=f"figshare doi:{OPENREACT.doi}",
                    licence=OPENREACT.licence,
                    citation=OPENREACT.citation,
                    generator="Gaussian 16",
                )
    return None
