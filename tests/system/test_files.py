import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from hessbench.system.files import replacing, write_text


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "file"
    write_text(path, "first")
    with pytest.raises(TypeError), replacing(path) as temporary:
        temporary.open("wb").write("half")  # type: ignore[arg-type]
    assert path.read_text() == "first"
    assert [item.name for item in path.parent.iterdir()] == ["file"]


def test_what_a_killed_process_left_is_removed_by_the_next_that_writes(tmp_path: Path) -> None:
    path = tmp_path / "file[1]"
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    machine = platform.node()
    stale = tmp_path / f".{path.name}.{machine}.{ended.pid}"
    others = [
        tmp_path / f".{path.name}.{machine}.{os.getppid()}",  # runs
        tmp_path / f".{path.name}.elsewhere.{ended.pid}",
        tmp_path / f".{path.name}.{machine}.txt",
        tmp_path / f".other.{machine}.{ended.pid}",
    ]
    for item in (stale, *others):
        item.touch()
    write_text(path, "content")
    assert sorted(tmp_path.iterdir()) == sorted([path, *others])
