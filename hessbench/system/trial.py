"""Reading a file of unknown origin for trial in a child process, which it may crash, hang or fill.

Libraries in C trust the lengths and addresses in a file; a damaged one can end the process, run without end
or take all memory. On Linux a child with limits of time and memory reads it first; elsewhere there is no
trial.
"""

import json
import math
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from hessbench.errors import DataError, HessbenchError
from hessbench.system.child import in_child

SECONDS, SECONDS_PER_MB = 5.0, 6.0
"""Processor time that reading a file may take."""
PATIENCE = 30.0
"""Seconds on the clock in which a child that gets no processor time is waited for."""
LOADING = 60
"""Processor time that loading libraries may take, seconds."""
BYTES, TIMES_SIZE = 800_000_000, 8
"""Memory that reading a file may take, and how often its size besides."""
DAMAGED = "it is damaged, or made to harm; get it again."
_under_trial = False
"""Whether this process is such a child: limits hold already."""


def tried(path: Path, read: Callable[[], object], prepare: Callable[[], object] = lambda: None) -> None:
    """Let a child process read a file before this one does.

    Parameters
    ----------
    path
        The file or directory, for its size and for the error.
    read
        Reads it; what it gives is lost. A trial within it is left out, as its limits hold for that, too.
    prepare
        Loads the libraries that read it; not counted, as that takes seconds on a slow machine.

    Raises
    ------
    HessbenchError
        As raised by `read`; or reading crashed, took too long or too much memory.
    """
    if sys.platform != "linux" or _under_trial:
        return
    size = _size(path)
    seconds = SECONDS + SECONDS_PER_MB * size / 1e6
    memory = BYTES + TIMES_SIZE * size
    said, status, _ = in_child(lambda: _said_of(read, prepare, int(seconds), memory), PATIENCE)
    if said:
        _raise_again(path, json.loads(said))
        return
    ended = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
    if ended in (signal.SIGXCPU, signal.SIGKILL):
        raise DataError(path, f"reading its {size} bytes takes more than {seconds:.0f} s: {DAMAGED}")
    name = signal.Signals(ended).name if ended else f"status {os.waitstatus_to_exitcode(status)}"
    raise DataError(path, f"reading it crashes the library that does ({name}): {DAMAGED}")


def _said_of(read: Callable[[], object], prepare: Callable[[], object], seconds: int, memory: int) -> bytes:
    """Read within limits, in the child; give the error that came out, for the parent."""
    import resource  # not on all systems

    global _under_trial  # of this process and of no other
    _under_trial = True
    said: dict[str, str | None] = {}
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (LOADING, resource.RLIM_INFINITY))
        prepare()
        end = math.ceil(time.process_time()) + seconds
        resource.setrlimit(resource.RLIMIT_CPU, (end, end + 1))
        resource.setrlimit(resource.RLIMIT_DATA, (_data_in_use() + memory, most))
        read()
    except DataError as error:
        said = {"path": str(error.path), "problem": error.problem, "reaction": error.reaction}
    except HessbenchError as error:
        said = {"sentence": str(error)}
    except MemoryError:
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))  # room to say so
        said = {"problem": f"reading it takes more than {memory / 1e6:.0f} MB of memory: {DAMAGED}"}
    except BaseException:  # noqa: BLE001 (the parent will meet it itself)
        said = {}
    return json.dumps(said, default=str).encode()


def most_memory() -> int:
    """Bytes of memory that this process has held at most (Linux)."""
    import resource

    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _raise_again(path: Path, said: dict[str, str | None]) -> None:
    if "problem" in said:
        raise DataError(Path(said.get("path") or path), str(said["problem"]), said.get("reaction"))
    if "sentence" in said:
        raise HessbenchError(str(said["sentence"]))


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def _data_in_use() -> int:
    """Bytes of private memory that this process may write to."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmData")) * 1024
