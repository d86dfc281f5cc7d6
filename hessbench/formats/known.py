"""Recognise the format of a data file by its content, and open it with the right reader."""

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
    for reader in READERS:
        if reader.recognise(path):
            return reader.open_source(path)
    raise DataError(path, _unknown(path))


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
