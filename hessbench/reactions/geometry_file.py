"""A small file for geometries without labels of very many reactions (docs/data-layout.md describes it).

Coordinates are multiples of 1e-5 Angstrom. The transition state (or what there is instead) is stored as it
is, centred; the other structures of a reaction are superimposed on it and stored as differences, which are
small and compress well. A structure so read differs from the original by a rotation, a translation and
rounding.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import h5py
import numpy as np

from hessbench.data.layout import Metadata
from hessbench.errors import DataError
from hessbench.reactions.geometries import ROLES, ReactionGeometries, superimposed
from hessbench.system.files import replacing
from hessbench.system.hdf5 import created, opened, read_array
from hessbench.system.reading import reading

FORMAT = "hessbench reaction geometries"
FORMAT_VERSION = 1
RESOLUTION = 1e-5
"""Angstrom."""
REFERENCES = ("TS", "R", "P")
"""The first of these that a reaction has is stored as it is."""


def write_geometries(path: Path, reactions: list[ReactionGeometries], metadata: Metadata) -> None:
    """Write geometries, sorted by name; reactions without any structure are left out.

    Raises
    ------
    DataError
        There is nothing to write.
    """
    reactions = sorted((item for item in reactions if item.coordinates), key=lambda item: item.name)
    if not reactions:
        raise DataError(path, "there are no geometries to write.")
    pieces: dict[str, list[np.ndarray]] = {role: [] for role in ROLES}
    for reaction in reactions:
        reference = next(role for role in REFERENCES if role in reaction.coordinates)
        start = reaction.coordinates[reference]
        centre = _rounded(start - start.mean(axis=0))
        for role in ROLES:
            if role == reference:
                pieces[role].append(centre)
            elif role in reaction.coordinates:
                turned = superimposed(reaction.coordinates[role], (centre - centre.mean(axis=0)) * RESOLUTION)
                pieces[role].append(_rounded(turned) - centre)
            else:
                pieces[role].append(np.zeros_like(centre))
    arrays = {
        "names": np.array([reaction.name for reaction in reactions], dtype="S"),
        "counts": np.array([len(reaction.numbers) for reaction in reactions], dtype="u1"),
        "numbers": np.concatenate([reaction.numbers for reaction in reactions]).astype("u1"),
        "present": np.array(
            [[role in reaction.coordinates for role in ROLES] for reaction in reactions], "u1"
        ),
        **{role: np.concatenate(pieces[role]).astype("<i4") for role in ROLES},
    }
    with replacing(path) as temporary, created(temporary, libver=("v110", "v110")) as file:
        for key, array in arrays.items():
            file.create_dataset(
                key, data=array, chunks=array.shape, compression=9, shuffle=True, fletcher32=True
            )
        file.attrs.update(asdict(metadata))
        file.attrs.update(
            {
                "format": FORMAT,
                "format_version": FORMAT_VERSION,
                "resolution": RESOLUTION,
                "units": json.dumps(dict.fromkeys(ROLES, f"{RESOLUTION:g} Angstrom")),
                "checksum": _checksum(arrays),
            }
        )


def read_geometries(path: Path) -> list[ReactionGeometries]:
    """Read a file of `write_geometries`.

    Raises
    ------
    DataError
        The file is missing, damaged, or something else.
    """
    keys = ("names", "counts", "numbers", "present", *ROLES)
    with _opened(path) as file:
        arrays = {key: read_array(file, key) for key in keys}
        recorded, resolution = str(file.attrs["checksum"]), float(file.attrs["resolution"])
    if _checksum(arrays) != recorded:
        raise DataError(path, "the content does not have the recorded checksum; get the file anew.")
    with reading(path, "its arrays do not fit together", "get the file anew"):
        return _reactions(arrays, resolution)


def _reactions(arrays: dict[str, np.ndarray], resolution: float) -> list[ReactionGeometries]:
    offsets = np.concatenate([[0], np.cumsum(arrays["counts"], dtype=np.int64)])
    reactions = []
    for index, name in enumerate(arrays["names"].tolist()):
        atoms = slice(offsets[index], offsets[index + 1])
        present = [role for role in ROLES if arrays["present"][index, ROLES.index(role)]]
        reference = next(role for role in REFERENCES if role in present)
        centre = arrays[reference][atoms]
        coordinates = {
            role: (centre if role == reference else centre + arrays[role][atoms]) * resolution
            for role in present
        }
        reactions.append(ReactionGeometries(name.decode(), arrays["numbers"][atoms], coordinates))
    return reactions


def level_of_geometries(path: Path) -> str:
    """Level of theory at which the geometries of a file were refined.

    Raises
    ------
    DataError
        The file is missing or something else.
    """
    with _opened(path) as file:
        return str(file.attrs["level"])


@contextmanager
def _opened(path: Path) -> Iterator[h5py.File]:
    problem = "not readable, it is damaged or of another format"
    with reading(path, problem), opened(path) as file:
        if file.attrs.get("format") != FORMAT or int(file.attrs["format_version"]) > FORMAT_VERSION:
            raise DataError(path, f"not a file of the format {FORMAT!r}, version {FORMAT_VERSION}.")
        yield file


def _rounded(coordinates: np.ndarray) -> np.ndarray:
    return np.rint(coordinates / RESOLUTION).astype(np.int32)


def _checksum(arrays: dict[str, np.ndarray]) -> str:
    digest = hashlib.sha256()
    for key in sorted(arrays):
        digest.update(f"{key} {arrays[key].dtype.str} {arrays[key].shape}".encode() + arrays[key].tobytes())
    return digest.hexdigest()
