"""dvc.lock, figures/ and tables/ are of one run."""

import hashlib
import json
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]


def folder_digest(folder: Path) -> str:
    """DVC's hash of a folder: MD5 of the sorted list of its files with theirs, as JSON."""
    files = [
        {
            "md5": hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest(),
            "relpath": path.relative_to(folder).as_posix(),
        }
        for path in folder.rglob("*")
        if path.is_file()
    ]
    files.sort(key=lambda item: item["relpath"])
    return hashlib.md5(json.dumps(files, sort_keys=True).encode(), usedforsecurity=False).hexdigest() + ".dir"


@pytest.mark.parametrize("stage", ["figures", "tables"])
def test_what_is_committed_is_what_the_recorded_run_made(stage: str) -> None:
    lock = yaml.safe_load((ROOT / "dvc.lock").read_text(encoding="utf-8"))["stages"][stage]
    (recorded,) = (out for out in lock["outs"] if out["path"] == stage)
    assert recorded["md5"] == folder_digest(ROOT / stage)
