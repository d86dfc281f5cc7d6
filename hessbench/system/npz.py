"""npz archives: what their arrays claim, held against what is there."""

import math
import zipfile
from pathlib import Path
from typing import BinaryIO

import numpy as np

from hessbench.system.hdf5 import DENSEST, FREE


def check_sizes(path: Path | BinaryIO) -> None:
    """Hold what arrays of an npz archive claim against what it holds, before memory is taken.

    Parameters
    ----------
    path
        The archive, or a binary file that holds it.

    Raises
    ------
    ValueError
        One claims more.
    """
    with zipfile.ZipFile(path) as archive:
        for item in archive.infolist():
            if item.file_size > max(FREE, DENSEST * item.compress_size):
                raise ValueError(f"{item.filename} claims {item.file_size} bytes in {item.compress_size}")
            with archive.open(item) as member:
                version = np.lib.format.read_magic(member)
                read = {
                    (1, 0): np.lib.format.read_array_header_1_0,
                    (2, 0): np.lib.format.read_array_header_2_0,
                }
                shape, _, dtype = read[version](member)
            if math.prod(shape) * dtype.itemsize > item.file_size:
                raise ValueError(f"{item.filename} claims the shape {shape} in {item.file_size} bytes")
