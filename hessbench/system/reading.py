"""Reading files that others wrote or a disk kept: whatever a library raises then becomes one sentence.

Which exceptions a library raises at a damaged file is written nowhere, and lists by example never end. So all
of them count, inside a block that does nothing but read and decode.
"""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from hessbench.errors import DataError, HessbenchError

OF_THE_MACHINE = (
    errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EMFILE, errno.ENFILE, errno.EACCES, errno.EPERM,
    errno.EIO,
)  # fmt: skip
"""Error numbers that say nothing against a file: no remedy that touches the file belongs beside them."""
LONGEST = 200
"""Characters of a reason that are shown."""


@contextmanager
def reading(
    path: Path | str,
    problem: str = "cannot be read",
    remedy: str = "",
    *,
    place: str | None = None,
    missing: str = "the file does not exist.",
    error: Callable[[Path | str, str, str | None], HessbenchError] = DataError,
) -> Iterator[None]:
    """Turn any exception of the block, which reads a file and decodes it, into an error that names the file.

    Parameters
    ----------
    path
        The file.
    problem
        What is then wrong with it, without a full stop: "is no checkpoint".
    remedy
        What to do about that, without a full stop: "train again".
    place
        Where in the file, if that is known: a reaction, a column.
    missing
        What to say of a file that does not exist.
    error
        Makes the error out of file, sentence and place.

    Raises
    ------
    HessbenchError
        Made by `error`. A HessbenchError of the block itself passes, as does what is no fault: an interrupt.
        Where memory, disk or permissions are at fault, that is said, without the remedy.
    """
    try:
        yield
    except HessbenchError:
        raise
    except MemoryError:
        raise error(path, "reading it takes more memory than there is.", place) from None
    except Exception as caught:
        if isinstance(caught, OSError) and caught.errno in OF_THE_MACHINE:
            raise error(path, f"{os.strerror(caught.errno)}.", place) from None
        if isinstance(caught, FileNotFoundError) and not Path(path).exists():
            raise error(path, missing, place) from None
        raise error(path, sentence(problem, caught, remedy), place) from caught
    except BaseException as caught:
        if type(caught).__name__ != "PanicException":  # of libraries in Rust, outside of Exception
            raise
        raise error(path, sentence(problem, caught, remedy), place) from None


def sentence(problem: str, caught: BaseException, remedy: str = "") -> str:
    """One sentence out of a problem, the reason that a library gives, and a remedy."""
    return f"{problem} ({reason(caught)}){f'; {remedy}' if remedy else ''}."


def reason(caught: BaseException) -> str:
    """What an exception says, in one line of at most `LONGEST` printable characters."""
    words = " ".join(str(caught).split())
    if isinstance(caught, KeyError) and caught.args:  # a key, or, in h5py, a sentence
        words = " ".join(str(caught.args[0]).split())
        words = words if " " in words else f"{words!r} is missing"
    shown = "".join(character if character.isprintable() else "?" for character in words)
    shown = shown.removesuffix(".") or type(caught).__name__
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 3]}..."
