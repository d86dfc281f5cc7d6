"""Writing files so that a reader, or a rerun after a kill, never meets half of one."""

import glob
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; it replaces `path` if the block succeeds, else it is removed.

    The content is on the disk before the name is, so a loss of power leaves the old file or the new one.
    """
    temporary = temporary_beside(path)
    try:
        yield temporary
        _flush(temporary)
        temporary.replace(path)
        if os.name == "posix":
            _flush(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def temporary_beside(path: Path) -> Path:
    """Name a file beside `path` that no other process uses; remove what killed processes left of the same."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beginning = f".{path.name}.{platform.node()}."
    _remove_leftovers(path.parent, beginning)
    return path.with_name(f"{beginning}{os.getpid()}")


def _remove_leftovers(folder: Path, beginning: str) -> None:
    """Remove temporary files of this name whose process does not run any more on this machine."""
    if os.name != "posix":
        return  # there is no harmless way to ask for a process
    for path in folder.glob(f"{glob.escape(beginning)}*"):
        number = path.name.removeprefix(beginning)
        if number.isdigit() and not _runs(int(number)):
            path.unlink(missing_ok=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it runs, as another user
    return True


def _flush(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
