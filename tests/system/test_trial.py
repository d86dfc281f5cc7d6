"""What a child process does not survive is one sentence, and this process goes on."""

import os
import signal
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from hessbench.errors import DataError, HessbenchError
from hessbench.system import trial
from hessbench.system.trial import tried

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="no trial elsewhere")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "in"
    path.write_bytes(bytes(1000))
    return path


def refusal(path, read) -> str:
    with pytest.raises(HessbenchError) as caught:
        tried(path, read)
    return str(caught.value)


def test_what_can_be_read_passes_and_leaves_nothing(file):
    given: list[int] = []
    tried(file, lambda: given.append(1))
    assert not given


def test_a_crash(file):
    said = refusal(file, lambda: os.kill(os.getpid(), signal.SIGSEGV))
    assert said.startswith(f"{file}: reading it crashes the library that does (SIGSEGV)")


def test_no_end(file, monkeypatch):
    monkeypatch.setattr(trial, "SECONDS", 1.0)

    def spin() -> None:
        while True:
            pass

    assert "takes more than 1 s" in refusal(file, spin)
    monkeypatch.setattr(trial, "PATIENCE", 0.2)
    assert "takes more than 1 s" in refusal(file, lambda: time.sleep(100))


def test_loading_libraries_is_not_counted(file, monkeypatch):
    monkeypatch.setattr(trial, "SECONDS", 1.0)

    def spin(seconds: float) -> None:
        end = time.process_time() + seconds
        while time.process_time() < end:
            pass

    tried(file, lambda: spin(0.3), prepare=lambda: spin(1.5))
    with pytest.raises(DataError, match="takes more than 1 s"):
        tried(file, lambda: spin(5), prepare=lambda: spin(0.3))


def test_all_memory(file, monkeypatch):
    monkeypatch.setattr(trial, "BYTES", 100_000_000)
    assert "takes more than 100 MB of memory" in refusal(file, lambda: np.ones(50_000_000))
    tried(file, lambda: np.ones(2_000_000))


def test_errors_come_back_as_they_were(file):
    def refuse() -> None:
        raise DataError("other.h5", "is wrong.", "rxn000001")

    with pytest.raises(DataError) as caught:
        tried(file, refuse)
    assert (caught.value.path, caught.value.reaction) == (Path("other.h5"), "rxn000001")

    def complain() -> None:
        raise HessbenchError("this needs lmdb")

    assert refusal(file, complain) == "this needs lmdb"


def test_faults_of_ours_are_left_to_this_process(file):
    tried(file, lambda: 1 / 0)
