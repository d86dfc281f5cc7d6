import os
import subprocess
import sys

import pytest

from hessbench.errors import DataError
from hessbench.system.stage_times import FILE, read_stage_times, timed_stage


def run(folder, *arguments, stage="split"):
    command = [sys.executable, "-m", "hessbench", *arguments]
    environment = os.environ | {"DVC_STAGE": stage}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False).returncode


def test_what_succeeds_as_a_stage_is_recorded_once(tmp_path):
    assert run(tmp_path, "--version") == 0
    assert run(tmp_path, "--help", stage="train@e-80") == 0
    assert run(tmp_path, "nonsense", stage="neb") == 2
    assert run(tmp_path, "--help") == 0
    times = read_stage_times(tmp_path / FILE)
    assert [item.stage for item in times] == ["train@e-80", "split"]
    assert all(0 <= item.seconds < 100 and item.processor_seconds > 0 for item in times)


def test_what_is_no_stage_or_fails_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.delenv("DVC_STAGE", raising=False)
    with timed_stage(tmp_path / "times.csv"):
        pass
    monkeypatch.setenv("DVC_STAGE", "neb")
    with pytest.raises(ValueError, match="wrong"), timed_stage(tmp_path / "times.csv"):
        raise ValueError("wrong")
    assert not list(tmp_path.iterdir())


def test_a_damaged_file_is_one_sentence(tmp_path):
    (tmp_path / "times.csv").write_text("stage,seconds\nneb,soon\n")
    with pytest.raises(DataError, match=r"times\.csv: is no table of times.*delete it"):
        read_stage_times(tmp_path / "times.csv")
