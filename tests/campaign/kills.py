"""`python -m tests.campaign.kills 100 [SEED]`: kill long commands at random moments, and run them again.

A command that was killed and is given once more must leave what an undisturbed one leaves: the same bytes or
numbers, apart from times, and nothing besides.
"""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from tqdm import tqdm

from hessbench.embedded import EMBEDDED
from hessbench.results.store.tables import read_provenance
from tests.campaign.markdown import table

PROFILE = Path(__file__).parents[2] / "reproduce" / "profiles" / "ci.yaml"
GENERATE = ("generate", "rtp", "--reactions", "2", "--workers", "2", "--output", "generated/rtp.h5")
COMMANDS = {
    "generate": GENERATE,
    "train": ("train", "--loss", "efh"),
    "evaluate": ("evaluate", "--loss", "efh"),
    "variants": ("variants",),
    "single-ts": ("single-ts",),
    "stability": ("stability",),
    "neb": ("neb",),
    "spectra": ("spectra",),
    "ts-search": ("ts-search",),
    "epoch-cost": ("epoch-cost",),
}
"""What is killed, in an order in which each finds what it needs."""
BEFORE = {
    "train": (("dataset",), ("split",), ("train", "--loss", "e"), ("train", "--loss", "ef")),
    "variants": (("evaluate", "--loss", "ef"),),
}
"""What is run before, undisturbed."""
IDENTICAL, DIFFERENT = "identical", "different"
FAILED, LEFT = "not run again", "left behind"
OUTCOMES = (IDENTICAL, DIFFERENT, FAILED, LEFT)
TIMES = ("seconds", "cpu_s")
"""Ends or beginnings of the names of columns and values that are times."""
ENDING = 60.0
"""Seconds in which the other processes of a killed one end."""


@dataclass
class Start:
    """Where a command starts, and what it leaves undisturbed.

    Attributes
    ----------
    folder
        State before it.
    seconds
        That it takes.
    content
        State after it, see `content`.
    """

    folder: Path
    seconds: float
    content: dict[str, str]


@dataclass
class Report:
    """What came of a campaign: outcomes by command, and the faults."""

    outcomes: dict[str, Counter] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def table(self) -> str:
        """In Markdown, with the sums."""
        return table("command", "kills", OUTCOMES, self.outcomes)


def run(kills: int, seed: int) -> Report:
    """Kill commands by turns.

    Parameters
    ----------
    kills
        How many; the first of `COMMANDS` if fewer than these.
    seed
        Decides about the moments, and whether only the main process is killed or all at once.
    """
    names = list(COMMANDS)
    report = Report({name: Counter() for name in names[:kills]})
    with tempfile.TemporaryDirectory() as folder:
        starts = undisturbed(Path(folder), names[:kills])
        for number in tqdm(range(kills), desc="kills", unit="kill"):
            name = names[number % len(names)]
            random = np.random.default_rng([seed, number])
            outcome, said = kill(name, starts[name], Path(folder) / "work", random)
            report.outcomes[name][outcome] += 1
            if outcome != IDENTICAL:
                report.faults.append(f"{name}, kill {number} of seed {seed}: {outcome}: {said}")
    return report


def undisturbed(folder: Path, names: list[str]) -> dict[str, Start]:
    """Run all commands in one project, and keep its state before each."""
    project = folder / "project"
    project.mkdir()
    (project / "params.yaml").write_text(yaml.safe_dump(settings()), encoding="utf-8")
    (project / "molecules.extxyz").write_text(small_molecules(), encoding="utf-8")
    starts = {}
    for name in names:
        for arguments in BEFORE.get(name, ()):
            assert finished(project, arguments) == "", arguments
        start = folder / name
        shutil.copytree(project, start)
        begin = time.perf_counter()
        said = finished(project, COMMANDS[name])
        assert said == "", f"{name}, undisturbed: {said}"
        starts[name] = Start(start, time.perf_counter() - begin, content(project))
    return starts


def settings() -> dict:
    """Profile ci, made as small as every command allows."""
    found = yaml.safe_load(PROFILE.read_text(encoding="utf-8"))
    found["profile"] = "tiny"
    found["data"]["reactions"] = {"rtp": 12, "irc": 1, "nms": 1}
    found["split"]["training_percents"] = [80]
    found["model"]["hidden"] = [16, 8]
    found["training"] |= {"seeds": 2, "epochs": 12, "minimum_steps": 0, "checkpoint_epochs": 1}
    found["evaluation"]["processes"] = 1
    found["robustness"] = {
        "recipes": [{"name": "small", "model": {"kind": "ani", "hidden": [8]}}],
        "seeds": 1,
    }
    found["cost"] = {"estimators": [{"kind": "rademacher", "count": 1}], "lengths": [1], "seeds": 1}
    found["single_ts"] |= {"models": 2, "models_at_once": 1, "steps": 10, "processes": 1}
    found["single_ts"]["model"]["hidden"] = [16, 8]
    found["stability"] = {
        "molecules": "molecules.extxyz",
        "losses": ["e", "efh"],
        "optimization_steps": 20,
        "interval_fs": 10,
        "cap_k": 30,
        "trajectory_molecule": "ethanol",
        "trajectory_frames": 5,
        "checkpoint_s": 0.1,
    }
    loose = {"climbing_fmax_ev_a": 1.0, "band_fmax_ev_a": 2.0, "climb_below_ev_a": 2.0}
    found["neb"] |= {"held_out": 0, "candidates": 3, "losses": ["e"], "processes": 1}
    found["neb"]["band"] |= {"images": 3, "max_iterations": 40, **loose}
    found["spectra"] |= {"losses": ["e"]}
    found["ts_search"] = {"reactions": 1, "losses": ["e"], "steps": 10, "processes": 1}
    found["epoch_cost"] = {"percents": [80], "repeats": 1, "loop_structures": 1}
    return found


def small_molecules(atoms: int = 9) -> str:
    """Those of the embedded molecules that have so many atoms, in extended XYZ."""
    lines = (EMBEDDED / "md17.extxyz").read_text(encoding="utf-8").splitlines(keepends=True)
    kept, place = [], 0
    while place < len(lines):
        end = place + int(lines[place]) + 2
        if end - place == atoms + 2:
            kept += lines[place:end]
        place = end
    return "".join(kept)


def begun(folder: Path, arguments: tuple[str, ...]) -> subprocess.Popen:
    """Start a command in a process group of its own; what it says goes to a file."""
    with (folder / "said.txt").open("w", encoding="utf-8") as said:
        return subprocess.Popen(
            [sys.executable, "-m", "hessbench", *arguments],
            cwd=folder,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )


def finished(folder: Path, arguments: tuple[str, ...]) -> str:
    """Run a command to its end; what it said last if it failed, else nothing."""
    status = begun(folder, arguments).wait()
    said = (folder / "said.txt").read_text(encoding="utf-8").strip()
    return f"status {status}, {said[-500:]}" if status else ""


def kill(name: str, start: Start, work: Path, random: np.random.Generator) -> tuple[str, str]:
    """Kill a command, run it again, and say what came of it.

    Half of the time all its processes are killed at once; else the main one alone, and the others are to end.
    """
    while True:
        moment, everyone = float(random.uniform(0, start.seconds)), bool(random.integers(2))
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(start.folder, work)
        process = begun(work, COMMANDS[name])
        time.sleep(moment)
        if process.poll() is None:
            break  # else it was faster than the undisturbed one
    if everyone:
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()
    killed = f"after {moment:.1f} of {start.seconds:.1f} s, {'all processes' if everyone else 'the main one'}"
    deadline = time.monotonic() + ENDING
    while others := group(process.pid):
        if time.monotonic() > deadline:
            os.killpg(process.pid, signal.SIGKILL)
            return LEFT, f"{killed}: processes {others}"
        time.sleep(0.1)
    if said := finished(work, COMMANDS[name]):
        return FAILED, f"{killed}: {said}"
    if debris := [
        str(path) for path in work.rglob("*") if path.name.startswith(".") or path.suffix == ".lock"
    ]:
        return LEFT, f"{killed}: {', '.join(debris)}"
    found = content(work)
    differ = sorted(key for key in {*found, *start.content} if found.get(key) != start.content.get(key))
    return (DIFFERENT, f"{killed}: {', '.join(differ)}") if differ else (IDENTICAL, "")


def group(number: int) -> list[int]:
    """Processes of a process group that have not ended."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
        if int(fields[2]) == number and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


def content(folder: Path) -> dict[str, str]:
    """Digests of all files of a project by name, without times, checkpoints and journals."""
    paths = [path for path in folder.rglob("*") if path.is_file() and "checkpoints" not in path.parts]
    return {
        str(path.relative_to(folder)): hashlib.sha256(_lasting(path)).hexdigest()
        for path in paths
        if path.suffix != ".journal" and path.name != "said.txt"
    }


def _lasting(path: Path) -> bytes:
    """Content of a file without times."""
    if path.suffix == ".parquet":
        inputs = read_provenance(path).inputs
        return f"{inputs}\n{_without_times(pd.read_parquet(path)).to_csv(float_format='%.17g')}".encode()
    if path.name == "history.csv":
        return _without_times(pd.read_csv(path, dtype=str)).to_csv().encode()
    if path.suffix == ".json":
        return json.dumps(_timeless(json.loads(path.read_text(encoding="utf-8")))).encode()
    return path.read_bytes()


def _without_times(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[[column for column in frame if not _is_time(str(column))]]


def _timeless(content: object) -> object:
    """What JSON holds, without times."""
    if not isinstance(content, dict):
        return content
    return {key: _timeless(value) for key, value in content.items() if not _is_time(key)}


def _is_time(name: str) -> bool:
    return name.startswith(TIMES) or name.endswith(TIMES)


if __name__ == "__main__":
    report = run(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    print(report.table())
    print(*report.faults, sep="\n")
    sys.exit(bool(report.faults))
