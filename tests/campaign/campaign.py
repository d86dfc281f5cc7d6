"""Read damaged files in child processes and say what came of it."""

import hashlib
import json
import math
import os
import pickle
import resource
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from io import FileIO
from pathlib import Path

import numpy as np
from tqdm import tqdm

from hessbench.errors import HessbenchError
from hessbench.system.child import in_child
from tests.campaign.damage import Edit, apply, damage, shrink
from tests.campaign.markdown import table

SECONDS, PATIENCE, BYTES = 20, 240, 1_000_000_000
"""Processor time, time on the clock and memory that reading a small file may take."""
AT_ONCE, GROWTH = 100, 200_000_000
"""Files that one child process reads at most, one after another, and bytes by which it may grow in that."""
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


@dataclass(frozen=True)
class Sample:
    """A damaged file.

    Attributes
    ----------
    kind, folder
        What is read, and where.
    content, edits
        Of the undamaged file, and what is done to it.
    expected
        Digest of what the undamaged file gives; None to find out.
    """

    kind: Kind
    folder: Path
    content: bytes
    edits: Sequence[Edit] = ()
    expected: str | None = None


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
            outcome, said = outcomes_of([Sample(kind, homes[name], content)])[0]
            assert outcome == READ, f"{name}, undamaged: {outcome} {said}"
            whole[name] = content, said
        samples = []
        for number in range(inputs):
            name = list(kinds)[number % len(kinds)]
            content, expected = whole[name]
            edits = damage(content, np.random.default_rng([seed, number]))
            samples.append(Sample(kinds[name], homes[name], content, edits, expected))
        number = 0
        # An interrupted campaign gives what came until then.
        with suppress(KeyboardInterrupt), tqdm(total=inputs, unit="input", delay=5) as bar:
            while number < inputs:
                for outcome, said in outcomes_of(samples[number : number + AT_ONCE]):
                    name = list(kinds)[number % len(kinds)]
                    report.outcomes[name][outcome] += 1
                    if outcome in FAULTS:
                        shown = "; ".join(map(str, _fewer(samples[number], outcome)))
                        report.faults.append(
                            f"{name}, input {number} of seed {seed}: {outcome}: {said} ({shown})"
                        )
                    number += 1
                    bar.update()
    return report


def _fewer(sample: Sample, outcome: str) -> Sequence[Edit]:
    """Fewest edits that have the same outcome in a child process of their own; all, if they have not."""

    def fails(damaged: bytes) -> bool:
        return outcomes_of([replace(sample, content=damaged, edits=())])[0][0] == outcome

    return shrink(sample.content, list(sample.edits), fails)


def outcomes_of(samples: Sequence[Sample]) -> list[tuple[str, str]]:
    """Read files in one child process, until it crashes, hangs or grows.

    Returns
    -------
    For each file that it read, the first one at least, the outcome, and a digest or what was said.
    """
    with tempfile.TemporaryFile(buffering=0) as told:
        start = time.monotonic()
        said, status, _ = in_child(lambda: _serve(samples, told), PATIENCE)
        told.seek(0)
        outcomes = [tuple(json.loads(line)) for line in told.read().splitlines()]
    if not said:
        late = os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL)
        ended = f"status {status} after {time.monotonic() - start:.0f} s and {len(outcomes)} files"
        outcomes.append((HANG if late else CRASH, ended))
    return outcomes


def _serve(samples: Sequence[Sample], told: FileIO) -> bytes:
    """Read one file after another, in the child, within limits and showing nothing; tell each outcome."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    first = _memory("VmRSS")
    for number, sample in enumerate(samples):
        path = sample.folder / sample.kind.file
        path.write_bytes(apply(sample.content, list(sample.edits)))
        os.utime(path, ns=(number, number))  # never taken for the one before
        end = math.ceil(time.process_time()) + SECONDS
        resource.setrlimit(resource.RLIMIT_CPU, (end, resource.RLIM_INFINITY))
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak begins anew
        before = _memory("VmRSS")
        outcome, text = _read(sample)
        children = 1024 * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        peak = max(_memory("VmHWM"), children)
        if peak - before > BYTES:
            outcome, text = MEMORY, f"{peak // 1_000_000} MB"
        told.write(json.dumps([outcome, text]).encode() + b"\n")
        if outcome == MEMORY or _memory("VmRSS") - first > GROWTH:
            break
    return b"ended"


def _memory(name: str) -> int:
    """Bytes of memory of this process, now (VmRSS) or at most (VmHWM)."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) * 1024


def _read(sample: Sample) -> tuple[str, str]:
    """Read; give the outcome, and a digest or what was said."""
    kind = sample.kind
    try:
        content = kind.read(sample.folder)
        text = hashlib.sha256(pickle.dumps(content, 4)).hexdigest() if kind.sealed else ""
    except HessbenchError as error:
        return REFUSED, str(error)[:300]
    except BaseException as error:  # noqa: BLE001 (that is what is looked for)
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""
        return UNTYPED, f"{type(error).__name__}: {str(error)[:200]} at {place}"
    if kind.sealed and sample.expected is not None and text != sample.expected:
        return WRONG, "what was read is not what was written"
    return READ, text
