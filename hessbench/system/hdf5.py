"""HDF5 files, opened only after a trial; members from the file itself, and never larger than it can hold."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from hessbench.errors import DataError
from hessbench.system.trial import most_memory, tried

FREE = 64_000_000
"""Bytes that an array may always have, however well it is compressed."""
DENSEST = 200
"""Bytes of an array beyond that to one byte in the file; labels of structures have less than 10."""
LONGEST_TEXT = 10_000
"""Elements of an array of texts of any length."""
LARGE = 100_000_000
"""Bytes of a file of which only the structure is gone through for trial, not all numbers."""
UNALLOCATED = "memory allocation failed"
"""What HDF5 says when a text claims more than the limit, before it takes any of it."""
_passed: set[tuple[object, ...]] = set()
"""Files that this process need not try again, each with what changes when its content does."""


def opened(path: Path | str) -> h5py.File:
    """Open a file for reading, after a child process has gone through all of it.

    In a damaged file HDF5 may read without end, crash, or take all memory. A file that has not changed is
    tried once in a process.

    Raises
    ------
    DataError
        The file does such a thing. What else is wrong with it is found when it is read.
    OSError
        As of h5py, if it cannot be opened.
    """
    path = Path(path)
    if path.is_file():
        found = path.stat()
        key = (path.resolve(), found.st_ino, found.st_size, found.st_mtime_ns)
        if key not in _passed:
            tried(path, lambda: _go_through(path))
            _passed.add(key)
    return h5py.File(path, "r")


@contextmanager
def created(path: Path, **options: Any) -> Iterator[h5py.File]:
    """Make a file piece by piece, `options` as of h5py; wrap it in `replacing` where half of one does harm.

    HDF5 crashes when a disk becomes full under it, so it never hears of that.

    Raises
    ------
    OSError
        It cannot be written, for example because the disk is full; after the block, at the latest.
    """
    written = _Written(path, "w+")
    try:
        with written, h5py.File(written, "w", driver="fileobj", **options) as file:
            yield file
    except Exception as caught:
        if written.error:  # what HDF5 made of it says less
            raise written.error from caught
        raise
    if written.error:
        raise written.error


class _Written(io.FileIO):
    """A file that keeps the first error of writing and from then on pretends to write."""

    error: OSError | None = None

    def readinto(self, target: Any) -> int:
        """Fill `target`; what was never written is zeros, as HDF5 expects."""
        whole = memoryview(target)
        count = super().readinto(whole) or 0
        whole[count:] = bytes(len(whole) - count)
        return len(whole)

    def write(self, content: Any) -> int:
        self._unless_failed(lambda: self._write_all(memoryview(content)))
        return len(content)

    def truncate(self, size: int | None = None) -> int:
        self._unless_failed(lambda: io.FileIO.truncate(self, size))
        return size or 0

    def _write_all(self, rest: memoryview) -> None:
        while len(rest):  # a nearly full disk takes a part
            rest = rest[super().write(rest) :]

    def _unless_failed(self, write: Callable[[], object]) -> None:
        if self.error is None:
            try:
                write()
            except OSError as error:
                self.error = error


def _go_through(path: Path) -> None:
    with h5py.File(path, "r") as file:
        with suppress(OSError, RuntimeError, KeyError, TypeError, ValueError, UnicodeError):
            dict(file.attrs)
        _visit(file.id, set(), path.stat().st_size <= LARGE)


def _visit(group: h5py.h5g.GroupID, seen: set[int], numbers: bool) -> None:
    """Read all attributes, and the numbers if asked for, of what lies in a group of this file."""
    for name in group:
        # What is wrong with one member, the reader says who needs it; the others are to be tried as well.
        with suppress(OSError, RuntimeError, KeyError, TypeError, ValueError, UnicodeError):
            if group.links.get_info(name).type == h5py.h5l.TYPE_HARD:
                _visit_member(h5py.h5o.open(group, name), seen, numbers)


def _visit_member(found: h5py.h5g.GroupID | h5py.h5d.DatasetID, seen: set[int], numbers: bool) -> None:
    if isinstance(found, h5py.h5g.GroupID):
        address = h5py.h5o.get_info(found).addr
        if address not in seen:
            seen.add(address)
            dict(h5py.Group(found).attrs)
            _visit(found, seen, numbers)
    elif isinstance(found, h5py.h5d.DatasetID):
        dataset = h5py.Dataset(found)
        dict(dataset.attrs)
        if dataset.external or dataset.is_virtual or _excess(dataset):
            return  # never read
        if not numbers:
            if dataset.chunks:
                found.get_num_chunks()  # goes through their index
            return
        before = most_memory()
        try:
            dataset[()]
        except OSError as caught:
            # HDF5 rarely says whether a piece is damaged, or unpacks to more than the limit lets it take.
            if UNALLOCATED in str(caught) or most_memory() - before > FREE:
                raise MemoryError from None
            raise


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
    if "/" not in name and group.id.links.get_info(name.encode()).type == h5py.h5l.TYPE_HARD:
        return group[name]  # what follows takes as long as reading it
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
    if dataset.shape is None:
        raise _refused(group, name, "is empty")
    if dataset.external or dataset.is_virtual:
        raise _refused(group, name, "keeps its numbers in other files, which are not read")
    if problem := _excess(dataset):
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


def _excess(dataset: h5py.Dataset) -> str:
    """What a dataset claims beyond what the file can hold, as a part of a sentence; empty if nothing."""
    claimed, stored = dataset.size * dataset.dtype.itemsize, dataset.id.get_storage_size()
    chunk = int(np.prod(dataset.chunks, dtype=float)) * dataset.dtype.itemsize if dataset.chunks else 0
    size = h5py.h5i.get_file_id(dataset.id).get_filesize()
    largest = max(claimed, chunk)
    if stored > size or largest > max(FREE, DENSEST * stored):
        return f"claims {largest} bytes, of which the file of {size} bytes holds {stored}"
    return ""


def _refused(group: h5py.Group, name: str, problem: str) -> DataError:
    place = group.name.strip("/")
    return DataError(group.file.filename, f"{name} {problem}.", place or None)
