"""Recognise the format of a data file by its content, and open it with the right reader."""

from contextlib import suppress
from pathlib import Path

from hessbench.errors import DataError
from hessbench.formats.readers import (
    extxyz,
    hessian_qm9,
    horm,
    openreact,
    quantum_chemistry_output,
    transition1x,
)
from hessbench.formats.readers.source import Source
from hessbench.system.trial import tried

LARGE = 100_000_000
"""Bytes of a file of which only a sample of reactions is read for trial."""
SAMPLE = 100
READERS = (openreact, transition1x, horm, hessian_qm9, extxyz, quantum_chemistry_output)


def open_data(path: Path) -> Source:
    """Open a data file of any known format.

    Raises
    ------
    DataError
        The file does not exist, is damaged, or is of no known format.
    """
    if not path.exists():
        raise DataError(path, "there is no such file.")
    tried(path, lambda: _read_through(path))
    return _open(path)


def _open(path: Path) -> Source:
    for reader in READERS:
        if reader.recognise(path):
            return reader.open_source(path)
    raise DataError(path, _unknown(path))


def _read_through(path: Path) -> None:
    """Read all of a file, or a sample of a large one; what is wrong with single reactions is found later."""
    with _open(path) as source:
        large = path.is_file() and path.stat().st_size > LARGE
        for name in source.names[:: max(1, len(source.names) // SAMPLE) if large else 1]:
            with suppress(DataError):
                source.load(name)


def _unknown(path: Path) -> str:
    """Say why a file is of no known format."""
    if path.is_file():
        with path.open("rb") as file:
            head = file.read(8)
        if head == b"\x89HDF\r\n\x1a\n":
            return "HDF5, but neither in the layout of OpenREACT-CHON-EFH nor of Transition1x."
        if head[:2] == b"PK":
            return "a zip archive; unpack it first, then name the directory in it."
        if path.stat().st_size == 0:
            return "the file is empty."
    return (
        "of no known format; known are hessbench or OpenREACT HDF5, Transition1x, HORM, Hessian QM9, "
        "extended XYZ, Gaussian and Q-Chem output."
    )
