"""Whatever a child does, its parent hears within the time, and goes on alone."""

import os
import signal
import subprocess
import sys
import time

import pytest
from tqdm import tqdm
from tqdm.std import TqdmDefaultWriteLock

from hessbench.system.child import in_child

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no fork")


def test_what_it_gives_arrives_whole():
    content = os.urandom(1_000_000)  # many times what a pipe holds
    ended = in_child(lambda: content, 60)
    assert ended.said == content
    assert ended.peak > 1_000_000


def test_one_that_is_late_is_killed():
    start = time.monotonic()
    said, status, _ = in_child(lambda: time.sleep(100) or b"", 0.2)
    assert (said, os.WTERMSIG(status)) == (b"", signal.SIGKILL)
    assert time.monotonic() - start < 50


def test_one_that_gets_on_is_not_late():
    """Whatever the clock says: on a busy machine a second of work takes many."""

    def work() -> bytes:
        end = time.process_time() + 1.5
        while time.process_time() < end:
            pass
        return b"done"

    assert in_child(work, 0.4).said == b"done"


def test_a_process_that_it_leaves_behind_is_not_waited_for():
    def leave() -> bytes:
        grandchild = os.fork()
        if not grandchild:
            time.sleep(100)
            os._exit(0)
        return str(grandchild).encode()

    start = time.monotonic()
    said = in_child(leave, 2).said
    os.kill(int(said), signal.SIGKILL)
    assert time.monotonic() - start < 50


@pytest.mark.parametrize("work", ["1 / 0", "'no bytes'", "sys.exit()"])
def test_no_second_copy_of_the_program_goes_on(work):
    code = f"import sys; from hessbench.system.child import in_child; in_child(lambda: {work}, 9); print(1)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "1\n"


def test_progress_bars_go_on_when_it_is_killed_in_the_middle_of_one(monkeypatch):
    lock = TqdmDefaultWriteLock()  # the default, which forks share
    monkeypatch.setattr(tqdm, "_lock", lock, raising=False)

    def stop() -> bytes:
        tqdm.get_lock().acquire()
        time.sleep(100)
        return b""

    in_child(stop, 0.5)
    assert lock.mp_lock.acquire(timeout=10)
    lock.mp_lock.release()
