"""Read damaged files in child processes and say what came of it."""

import hashlib
import os
import pickle
import resource
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from hessbench.errors import HessbenchError
from hessbench.system.child import in_child
from tests.campaign.damage import Edit, apply, damage, shrink
from tests.campaign.markdown import table

SECONDS, PATIENCE, BYTES = 20, 240, 1_000_000_000
"""Processor time, time on the clock and memory that reading a small file may take."""
READ, REFUSED = "read", "refused"
WRONG, UNTYPED, CRASH, HANG, MEMORY = "read wrongly", "untyped exception", "crash", "hang", "over 1 GB"
OUTCOMES = (READ, REFUSED, WRONG, UNTYPED, CRASH, HANG, MEMORY)
FAULTS = OUTCOMES[2:]


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes
    ----------
    file
        Name of the file that is damaged, in the folder that `write` fills.
    write
        Writes a valid one, given the folder.
    read
        Reads it, given the folder, and gives what was read.
    sealed
        Whether damage must be noticed: what is read then has to be what was written.
    """

    file: str
    write: Callable[[Path], object]
    read: Callable[[Path], object]
    sealed: bool = False


@dataclass
class Report:
    """What came of a campaign: outcomes by kind, and the faults with what shows them."""

    outcomes: dict[str, Counter] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def table(self) -> str:
        """In Markdown, with the sums."""
        return table("kind", "inputs", OUTCOMES, self.outcomes)


def run(kinds: dict[str, Kind], inputs: int, seed: int) -> Report:
    """Damage and read files of all kinds, by turns.

    Parameters
    ----------
    kinds
        See `tests.campaign.inputs.kinds`.
    inputs
        How many.
    seed
        Decides about all of them.
    """
    report = Report({name: Counter() for name in kinds})
    with tempfile.TemporaryDirectory() as folder:
        homes = {name: Path(folder) / str(index) for index, name in enumerate(kinds)}
        whole = {}
        for name, kind in kinds.items():
            homes[name].mkdir()
            kind.write(homes[name])
            content = (homes[name] / kind.file).read_bytes()
            outcome, said = outcome_of(kind, homes[name], content, None)
            assert outcome == READ, f"{name}, undamaged: {outcome} {said}"
            whole[name] = content, said
        for number, name in _turns(list(kinds), inputs):
            content, expected = whole[name]
            edits = damage(content, np.random.default_rng([seed, number]))
            outcome, said = outcome_of(kinds[name], homes[name], apply(content, edits), expected)
            report.outcomes[name][outcome] += 1
            if outcome in FAULTS:
                fewer = _fewer(kinds[name], homes[name], content, edits, expected, outcome)
                shown = "; ".join(map(str, fewer))
                report.faults.append(f"{name}, input {number} of seed {seed}: {outcome}: {said} ({shown})")
    return report


def _turns(names: list[str], inputs: int) -> Iterator[tuple[int, str]]:
    return ((number, names[number % len(names)]) for number in range(inputs))


def _fewer(
    kind: Kind, folder: Path, content: bytes, edits: list[Edit], expected: str, outcome: str
) -> list[Edit]:
    return shrink(content, edits, lambda damaged: outcome_of(kind, folder, damaged, expected)[0] == outcome)


def outcome_of(kind: Kind, folder: Path, content: bytes, expected: str | None) -> tuple[str, str]:
    """Read a file in a child process: the outcome, and a digest or what was said.

    Parameters
    ----------
    kind, folder
        What is read, and where.
    content
        Of the damaged file.
    expected
        Digest of what the undamaged file gives; None to find out.
    """
    (folder / kind.file).write_bytes(content)
    start = time.monotonic()
    said, status, peak = in_child(lambda: _told(kind, folder), PATIENCE)
    if not said:
        late = os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL)
        return (HANG if late else CRASH), f"status {status} after {time.monotonic() - start:.0f} s"
    outcome, text, before = pickle.loads(said)
    if peak - before > BYTES:
        return MEMORY, f"{peak // 1_000_000} MB"
    if outcome == READ and kind.sealed and expected is not None and text != expected:
        return WRONG, "what was read is not what was written"
    return outcome, text


def _told(kind: Kind, folder: Path) -> bytes:
    """Read, in the child; give the outcome, what goes with it, and the memory before."""
    before = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return pickle.dumps((*_read(kind, folder), before))


def _read(kind: Kind, folder: Path) -> tuple[str, str]:
    """Read within limits, showing nothing; give the outcome, and a digest or what was said."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))
    try:
        content = kind.read(folder)
        return READ, hashlib.sha256(pickle.dumps(content, 4)).hexdigest() if kind.sealed else ""
    except HessbenchError as error:
        return REFUSED, str(error)[:300]
    except BaseException as error:  # noqa: BLE001 (that is what is looked for)
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""
        return UNTYPED, f"{type(error).__name__}: {str(error)[:200]} at {place}"
