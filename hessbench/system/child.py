"""Work in a forked child process, of which this one hears within a time, whatever becomes of it."""

import faulthandler
import gc
import os
import select
import signal
import threading
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, NoReturn

from tqdm import tqdm

LOOK = 0.5
"""Seconds after which it is seen whether a child still gets on."""


class Ended(NamedTuple):
    """What became of a child.

    Attributes
    ----------
    said
        What its work gave; nothing if it did not come to that.
    status
        How it ended, as of `os.wait4`; by SIGKILL if it was late.
    peak
        The most memory that it held, in bytes.
    """

    said: bytes
    status: int
    peak: int


def in_child(work: Callable[[], bytes], patience: float) -> Ended:
    """Do work in a fork of this process, which is killed when it stands still.

    Parameters
    ----------
    work
        Gives what to tell; an exception ends the child with nothing told. It limits its own processor time.
    patience
        Seconds on the clock in which it neither tells anything nor gets processor time; on a busy machine any
        work may take long.
    """
    ours, theirs = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads, of which the child uses none
        child = os.fork()
    if not child:
        _be_child(work, theirs)
    os.close(theirs)
    said, used, deadline = bytearray(), 0, time.monotonic() + patience
    try:
        # Not until the end of the pipe at any price: processes that the child left may keep it open.
        while (left := deadline - time.monotonic()) > 0:
            if select.select([ours], [], [], min(left, LOOK))[0]:
                piece = os.read(ours, 65536)
                if not piece:
                    break
                said += piece
            if (ticks := _processor_ticks(child)) > used:
                used, deadline = ticks, time.monotonic() + patience
    finally:
        os.close(ours)
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)  # if it has not ended
        _, status, usage = os.wait4(child, 0)
    return Ended(bytes(said), status, 1024 * usage.ru_maxrss)


def _processor_ticks(process: int) -> int:
    """Processor time of a process, in ticks of the clock (Linux)."""
    stat = Path(f"/proc/{process}/stat").read_text(encoding="ascii", errors="replace")
    fields = stat.rpartition(")")[2].split()  # those after the name, which may hold anything
    return int(fields[11]) + int(fields[12])


def _be_child(work: Callable[[], bytes], pipe: int) -> NoReturn:
    try:
        faulthandler.disable()  # crashes are told by the parent
        gc.freeze()  # what the parent has left to collect is not finalized twice
        # The lock of progress bars is one for all forks: killed with it, this one would stop the parent.
        tqdm.set_lock(threading.RLock())
        left = memoryview(work())
        while left:
            left = left[os.write(pipe, left) :]
    finally:
        os._exit(0)  # whatever happens, even here: a second copy of the program must not go on
