"""Data files as they come by mail: compressed, or with the byte order mark of Windows."""

import bz2
import gzip
import lzma
import shutil
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hessbench.errors import DataError
from hessbench.system.reading import reading

COMPRESSED: dict[bytes, Callable[[Path], Any]] = {
    b"\x1f\x8b": gzip.GzipFile,
    b"\xfd7zXZ\x00": lzma.LZMAFile,
    b"BZh": bz2.BZ2File,
}
"""First bytes of what is decompressed, and how."""
ENDINGS = (".gz", ".xz", ".bz2")
"""How such files are called."""
OTHERS = {
    b"PK": "a zip archive; unpack it first, then name the file or directory in it.",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive; unpack it first, then name the file or directory in it.",
    b"\x28\xb5\x2f\xfd": "compressed by zstd; decompress it first.",
    b"Rar!": "a rar archive; unpack it first, then name the file or directory in it.",
}
"""First bytes of what is not, and what to say."""
MARKS = {
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe\x00\x00": "utf-32",
    b"\x00\x00\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
"""Byte order marks of text; the longer ones go first."""
TAR = slice(257, 262)
"""Where a tar archive says so."""
ARCHIVE = "a tar archive of several files; unpack it first, then name the file or directory in it."
PIECE, GROWTH, SMALL = 2**20, 200, 2**27
"""Bytes that are read at once; how many times as large as itself a file may become, if more than the last."""


@contextmanager
def unpacked(path: Path, beside: Collection[str] = ()) -> Iterator[Path]:
    """Give a file as its reader wants it: itself, or a plain copy that lasts as long as the context.

    Parameters
    ----------
    path
        The file.
    beside
        Endings of names of files that may belong to it; those that there are lie beside the copy, too.

    Raises
    ------
    DataError
        It is damaged, an archive of several files, or suspiciously large when decompressed.
    """
    original, head = path, _head(path) if path.is_file() else b""
    with TemporaryDirectory(prefix="hessbench-") as folder:
        for magic, opening in COMPRESSED.items():
            if head.startswith(magic):
                # As the file is called without its suffix, after which data sets are named.
                plain = Path(folder) / (path.stem or "data")
                _decompress(path, opening, plain)
                path, head = plain, _head(plain)
                break
        if head[TAR] == b"ustar":
            raise DataError(original, ARCHIVE)
        for magic, what in OTHERS.items():
            if head.startswith(magic):
                raise DataError(original, what)
        encoding = next((name for mark, name in MARKS.items() if head.startswith(mark)), None)
        # An Arrow stream begins with four such bytes.
        if encoding is not None and not head.startswith(b"\xff\xff"):
            copy = Path(folder) / "text" / path.name
            copy.parent.mkdir()
            with (
                reading(original, f"is no text, though it begins like one in {encoding}"),
                path.open(encoding=encoding, newline="") as text,
                copy.open("w", encoding="utf-8", newline="") as file,
            ):
                while piece := text.read(PIECE):
                    file.write(piece)
            path = copy
        if path != original:
            for suffix in beside:
                _bring(original, path.with_suffix(suffix))
        yield path


def _bring(original: Path, target: Path) -> None:
    """Copy the file of a name that lies beside the original, plain or compressed, if there is one."""
    for ending in ("", *ENDINGS):
        found = original.with_name(f"{target.name}{ending}")
        if found.is_file() and found != original:
            with unpacked(found) as plain:
                shutil.copyfile(plain, target)
            return


def compressed(path: Path) -> bool:
    """Whether a file is compressed in a way that can be read here."""
    return path.is_file() and _head(path).startswith(tuple(COMPRESSED))


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(512)


def _decompress(path: Path, opening: Callable[[Path], Any], target: Path) -> None:
    allowed = max(SMALL, GROWTH * path.stat().st_size)
    with (
        reading(path, "damaged or truncated compressed file", "compress it again"),
        opening(path) as source,
        target.open("wb") as file,
    ):
        while piece := source.read(PIECE):
            file.write(piece)
            if file.tell() > allowed:
                raise DataError(
                    path, f"more than {allowed:,} bytes when decompressed; decompress it yourself to read it."
                )
