"""Members of HDF5 files, read from the file itself and nowhere else, and never larger than it can hold."""

from pathlib import Path

import h5py
import numpy as np

from hessbench.errors import DataError

FREE = 64_000_000
"""Bytes that an array may always have, however well it is compressed."""
DENSEST = 200
"""Bytes of an array beyond that to one byte in the file; labels of structures have less than 10."""
LONGEST_TEXT = 10_000
"""Elements of an array of texts of any length."""


def member(group: h5py.Group, name: str) -> h5py.Group | h5py.Dataset:
    """Open a group or dataset that lies in the same file.

    Raises
    ------
    DataError
        It is a link to another file.
    KeyError
        There is none of this name, or it is damaged.
    """
    if name not in group:
        raise KeyError(name)
    if isinstance(group.get(name, getlink=True), h5py.ExternalLink):
        raise _refused(group, name, "is a link to another file, which is not followed")
    found = group[name]
    if found.file.filename != group.file.filename:
        raise _refused(group, name, "lies in another file, which is not read")
    return found


def members(group: h5py.Group) -> dict[str, h5py.Group | h5py.Dataset]:
    """All groups and datasets of a group, in alphabetical order; see `member`."""
    return {name: member(group, name) for name in group}


def read_array(group: h5py.Group, name: str) -> np.ndarray:
    """Read a dataset; text of any length becomes bytes of one length.

    Raises
    ------
    DataError
        It is no dataset, keeps its numbers in other files, or claims more than the file can hold.
    KeyError
        There is none of this name, or it is damaged.
    """
    dataset = member(group, name)
    if not isinstance(dataset, h5py.Dataset):
        raise _refused(group, name, "is no array")
    if dataset.external or dataset.is_virtual:
        raise _refused(group, name, "keeps its numbers in other files, which are not read")
    claimed, stored = dataset.size * dataset.dtype.itemsize, dataset.id.get_storage_size()
    chunk = int(np.prod(dataset.chunks, dtype=float)) * dataset.dtype.itemsize if dataset.chunks else 0
    size = Path(group.file.filename).stat().st_size
    largest = max(claimed, chunk)
    if stored > size or largest > max(FREE, DENSEST * stored):
        problem = f"claims {largest} bytes, of which the file of {size} bytes holds {stored}"
        raise _refused(group, name, problem)
    texts = dataset.dtype.kind == "O"
    if texts and (h5py.check_string_dtype(dataset.dtype) is None or dataset.size > LONGEST_TEXT):
        raise _refused(group, name, f"is neither numbers nor at most {LONGEST_TEXT} texts")
    content = np.asarray(dataset[()])
    if not texts:
        return content
    if content.size * max((len(item) for item in content.ravel()), default=0) > FREE:
        raise _refused(group, name, f"has texts of more than {FREE} bytes")
    return content.astype("S")


def _refused(group: h5py.Group, name: str, problem: str) -> DataError:
    place = group.name.strip("/")
    return DataError(group.file.filename, f"{name} {problem}.", place or None)
