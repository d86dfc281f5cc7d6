"""`python -m tests.campaign.full_disk 30 [SEED]`: long commands on a disk that becomes full, then with room.

The disk is a file system in memory, mounted in a namespace of the command's own, of a random size between
what the command finds and what it leaves undisturbed. It must end with status 2 and one sentence, lose
nothing, and, given again with enough room, leave what an undisturbed one leaves. Linux only.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
from tqdm import tqdm

from tests.campaign.kills import COMMANDS, DIFFERENT, FAILED, IDENTICAL, Start, content, finished, undisturbed
from tests.campaign.markdown import table

UNTOLD, ROOM = "no sentence", "had room"
OUTCOMES = (IDENTICAL, ROOM, DIFFERENT, FAILED, UNTOLD)
FAULTS = OUTCOMES[2:]
BLOCK = 4096
"""Bytes of a block of the file system: every file takes whole ones."""
SENTENCE = "make room, then give the same command"

ON_A_SMALL_DISK = """
set -e
mount -t tmpfs -o size="$1" tmpfs "$2"
cp -a "$3"/. "$2"
cd "$2"
shift 3
status=0
"$@" > "$SAID" 2>&1 < /dev/null || status=$?
cd /
cp -a "$DISK"/. "$LEFT"
exit $status
"""


def possible() -> bool:
    """Whether this system lets a process mount a file system in a namespace of its own."""
    if sys.platform != "linux" or shutil.which("unshare") is None:
        return False
    with tempfile.TemporaryDirectory() as folder:
        command = ["unshare", "-rm", "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0


def run(times: int, seed: int) -> tuple[str, list[str]]:
    """Fill the disk under commands, by turns.

    Parameters
    ----------
    times
        How often; the first of `COMMANDS` if fewer than these.
    seed
        Decides about the sizes.

    Returns
    -------
    A table in Markdown, and the faults.
    """
    names = list(COMMANDS)[:times]
    outcomes: dict[str, Counter] = {name: Counter() for name in names}
    faults = []
    with tempfile.TemporaryDirectory() as folder:
        starts = undisturbed(Path(folder), names)
        after = {name: starts[later].folder for name, later in pairwise(names)}
        after[names[-1]] = Path(folder) / "project"
        for number in tqdm(range(times), desc="full disks", unit="disk"):
            name = names[number % len(names)]
            random = np.random.default_rng([seed, number])
            outcome, said = fill(name, starts[name], size(after[name]), Path(folder), random)
            outcomes[name][outcome] += 1
            if outcome in FAULTS:
                faults.append(f"{name}, disk {number} of seed {seed}: {outcome}: {said}")
    return table("command", "disks", OUTCOMES, outcomes), faults


def size(folder: Path) -> int:
    """Bytes that a folder takes in whole blocks."""
    return sum(-(-path.stat().st_size // BLOCK) * BLOCK + BLOCK for path in folder.rglob("*"))


def fill(
    name: str, start: Start, large_enough: int, folder: Path, random: np.random.Generator
) -> tuple[str, str]:
    """Run a command on a disk too small for it, again with room, and say what came of it."""
    small = size(start.folder) + BLOCK
    bound = int(random.uniform(small, max(large_enough, small + BLOCK)))
    disk, work, said = folder / "disk", folder / "work", folder / "said.txt"
    for path in (disk, work):
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir()
    environment = os.environ | {
        "OMP_NUM_THREADS": "1", "SAID": str(said), "DISK": str(disk), "LEFT": str(work),
        "TMPDIR": str(folder),
    }  # fmt: skip
    command = [sys.executable, "-B", "-m", "hessbench", *COMMANDS[name]]
    arguments = [str(bound), str(disk), str(start.folder), *command]
    status = subprocess.run(
        ["unshare", "-rm", "sh", "-c", ON_A_SMALL_DISK, "sh", *arguments], env=environment, check=False
    ).returncode
    text = said.read_text(encoding="utf-8").strip()
    told = f"{bound - small} bytes of room, status {status}: {text[-400:]}"
    if status and (status != 2 or SENTENCE not in text or "Traceback" in text):
        return UNTOLD, told
    if again := finished(work, COMMANDS[name]):
        return FAILED, f"{told}; {again}"
    found = content(work)
    differ = sorted(key for key in {*found, *start.content} if found.get(key) != start.content.get(key))
    if differ:
        return DIFFERENT, f"{told}; {', '.join(differ)}"
    return (IDENTICAL if status else ROOM), ""


if __name__ == "__main__":
    report, faults = run(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    print(report)
    print(*faults, sep="\n")
    sys.exit(bool(faults))
