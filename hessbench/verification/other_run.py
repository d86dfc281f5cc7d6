"""Results of another run, from its folder or from DVC's cache by a git revision."""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from io import StringIO
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd
import yaml

from hessbench.errors import HessbenchError
from hessbench.experiments.errors.run.tables import ERRORS
from hessbench.results.reader import TRAINING
from hessbench.results.run import RUN
from hessbench.system.reading import reading

VERDICTS = "tables/verdicts.csv"
ERRORS_FOLDER = f"results/{ERRORS.name}"
REMEDY = (
    "check it out beside this clone (`git worktree add ../before {revision}`), `make repro` there, and name "
    "that folder"
)


@dataclass(frozen=True)
class OtherRun:
    """Where the results of a run are.

    Attributes
    ----------
    name
        As its user named it.
    results, models
        Folders of the results and of the trained models.
    verdicts
        Claim to verdict; empty if its tables of verdicts are not there.
    """

    name: str
    results: Path
    models: Path
    verdicts: dict[str, str]


def find_run(named: str, scratch: Path) -> OtherRun:
    """Find the results that a folder or a git revision has.

    Parameters
    ----------
    named
        A folder of results, a clone in which they lie, or a git revision of the clone in which one works.
    scratch
        Empty folder for what comes out of DVC's cache.

    Raises
    ------
    HessbenchError
        It is none of these, or results of the revision are not in the cache.
    """
    folder = Path(named)
    for results in (folder, folder / "results"):
        if (results / ERRORS.name).is_dir() and (results / RUN).exists():
            beside = results.parent / VERDICTS
            text = beside.read_text(encoding="utf-8") if beside.exists() else None
            return OtherRun(named, results, results.parent / "models", _verdicts(text, beside))
    if folder.is_dir():
        raise HessbenchError(
            f"{named} holds no results of a run (results/{RUN} and {ERRORS_FOLDER}); `make repro` "
            "there makes them."
        )
    if (commit := _git("rev-parse", "--verify", "--quiet", f"{named}^{{commit}}")) is None:
        raise HessbenchError(f"{named} is neither a folder with results nor a git revision of this clone.")
    return _from_cache(named, commit.strip(), scratch)


def _from_cache(named: str, commit: str, scratch: Path) -> OtherRun:
    """Copy results that dvc.lock names at a commit out of DVC's cache."""
    remedy = REMEDY.format(revision=named)
    lock = _git("show", f"{commit}:dvc.lock")
    if lock is None:
        raise HessbenchError(f"{named} has no dvc.lock, which says what its results are; {remedy}.")
    with reading(f"dvc.lock at {named}", "cannot be read"):
        stages = yaml.safe_load(lock)["stages"].values()
        outs = {item["path"]: item["md5"] for stage in stages for item in stage.get("outs", [])}
    cache = _cache()
    wanted = {path: md5 for path, md5 in _files(outs, cache).items() if _is_compared(path)}
    missing = [path for path, md5 in wanted.items() if not _place(cache, md5).exists()]
    errors = [path for path in wanted if f"{path}/".startswith(f"{ERRORS_FOLDER}/")]
    gone = [path for path in missing if path in errors]
    if not errors:
        raise HessbenchError(f"dvc.lock of {named} names no errors tables; {remedy}.")
    if gone:
        raise HessbenchError(
            f"{gone[0]} of {named} is not in DVC's cache ({cache}); `dvc pull` if there is a remote, or "
            f"{remedy}."
        )
    for path, md5 in wanted.items():
        if path not in missing:
            target = scratch / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(_place(cache, md5), target)
    found = _verdicts(_git("show", f"{commit}:{VERDICTS}"), f"{VERDICTS} at {named}")
    return OtherRun(named, scratch / "results", scratch / "models", found)


def _files(outs: dict[str, str], cache: Path) -> dict[str, str]:
    """Files of outs of a dvc.lock and their checksums; a folder whose listing is not in the cache is itself.

    Stages write single files or whole folders, which differs between revisions.
    """
    found = {}
    for path, md5 in outs.items():
        if any(parent.as_posix() in outs for parent in PurePosixPath(path).parents):
            continue  # left by a stage that there is no more: DVC lets no two stages write the same
        listing = _place(cache, md5)
        of_interest = PurePosixPath(path).parts[0] in ("results", "models")
        if not (of_interest and md5.endswith(".dir") and listing.exists()):
            found[path] = md5
            continue
        with reading(listing, "is no list of files of DVC"):
            content: list[dict[str, Any]] = json.loads(listing.read_text(encoding="utf-8"))
            found |= {f"{path}/{item['relpath']}": str(item["md5"]) for item in content}
    return found


def _is_compared(path: str) -> bool:
    """Whether runs are compared by this file, or by some in this folder."""
    folder, _, name = path.rpartition("/")
    if folder.partition("/")[0] == "models":
        return name == TRAINING
    return path == ERRORS_FOLDER or (folder in ("results", ERRORS_FOLDER) and name.endswith(".parquet"))


def _verdicts(text: str | None, source: object) -> dict[str, str]:
    if text is None:
        return {}
    with reading(str(source), "is no table of verdicts"):
        frame = pd.read_csv(StringIO(text), dtype=str, keep_default_na=False)
        return dict(zip(frame["claim"], frame["verdict"], strict=True))


def _place(cache: Path, md5: str) -> Path:
    return cache / "files" / "md5" / md5[:2] / md5[2:]


def _cache() -> Path:
    """Folder of DVC's cache."""
    command = [sys.executable, "-m", "dvc", "cache", "dir"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    if done.returncode or not done.stdout.strip():
        said = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
        raise HessbenchError(f"`dvc cache dir` fails ({said}); name the folder of the other run instead.")
    return Path(done.stdout.strip())


def _git(*arguments: str) -> str | None:
    """What git says; None if it refuses."""
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, encoding="utf-8", check=False)
    except FileNotFoundError:
        raise HessbenchError("git is not installed; name the folder of the other run instead.") from None
    return done.stdout if done.returncode == 0 else None
