"""A digest of a file's bytes inside the file itself, so that a reader notices a single bit that changed."""

import hashlib
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from hessbench.system.files import replacing

BLANK = b"hessbench sha256 " + 64 * b"0"
"""Stands in the bytes of a file where its digest is to be."""
_PLACE = re.compile(rb"hessbench sha256 ([0-9a-f]{64})")


class BrokenSealError(ValueError):
    """The bytes are not those of their digest."""


def seal(content: bytes) -> bytes:
    """Put a digest of all bytes in the place of the last `BLANK` in them, which counts as it is."""
    return _with(content, hashlib.sha256(content).hexdigest().encode())


def check_seal(content: bytes, *, needed: bool = False) -> bool:
    """Hold bytes against the digest in them.

    Parameters
    ----------
    content
        All bytes of a file.
    needed
        Whether the file must have a digest.

    Returns
    -------
    bool
        Whether it has one.

    Raises
    ------
    BrokenSealError
        They differ, or there is none where one is needed.
    """
    found = _PLACE.findall(content)
    if not found:
        if needed:
            raise BrokenSealError("its end, which holds its checksum, is missing")
    elif hashlib.sha256(_with(content, 64 * b"0")).hexdigest().encode() != found[-1]:
        raise BrokenSealError("its content is not that of its checksum")
    return bool(found)


def write_sealed(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file, whole or not at all, with a digest at its end.

    Parameters
    ----------
    path
        The file.
    write
        Writes its content to a binary file; one in memory, because libraries that find a disk full
        while they write raise what does not say so.
    """
    content = io.BytesIO()
    write(content)
    with replacing(path) as temporary:
        temporary.write_bytes(seal(content.getvalue() + BLANK))


def read_sealed(path: Path) -> bytes:
    """Read the content of a file of `write_sealed`.

    Raises
    ------
    BrokenSealError
        The file is damaged or cut off.
    """
    content = path.read_bytes()
    check_seal(content, needed=True)
    if len(content) < len(BLANK) or not _PLACE.fullmatch(content, len(content) - len(BLANK)):
        raise BrokenSealError("its end, which holds its checksum, is missing")
    return content[: -len(BLANK)]


def _with(content: bytes, digest: bytes) -> bytes:
    *_, place = _PLACE.finditer(content)
    return content[: place.start(1)] + digest + content[place.end(1) :]
