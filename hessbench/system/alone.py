"""One process at a time where two would write the same files and remove each other's checkpoints."""

import functools
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from hessbench.errors import HessbenchError

PATIENCE = 3.0
"""Seconds in which the last child of a killed process ends, which holds the lock as long."""


@contextmanager
def alone(*locks: Path) -> Iterator[None]:
    """Let no other process into a block with one of the same locks.

    The system gives up the locks of a process that is killed; the empty files that remain mean nothing.

    Parameters
    ----------
    *locks
        Files that stand for what the block writes, beside checkpoints: in no folder that is a result.

    Raises
    ------
    HessbenchError
        Another process is in such a block.
    """
    with ExitStack() as stack:
        for lock in sorted(set(locks)):
            lock.parent.mkdir(parents=True, exist_ok=True)
            held = FileLock(lock)
            try:
                stack.enter_context(held.acquire(timeout=PATIENCE))
            except Timeout:
                raise HessbenchError(
                    f"{lock}: another process does the same work here now; wait until it has ended, or end "
                    "it, then give the same command."
                ) from None
            if os.name == "posix":  # whoever waits for the file notices
                stack.callback(lock.unlink, missing_ok=True)
        yield


def alone_in_results(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Let a command with an option `--results` run once at a time for each folder of results.

    Parameters
    ----------
    *names
        Of the command, or of all commands whose work it does.
    """

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(function)
        def decorated(*, results: Path, **arguments: Any) -> None:
            with alone(*(results / "checkpoints" / f"{name}.lock" for name in names)):
                function(results=results, **arguments)

        return decorated

    return decorate
