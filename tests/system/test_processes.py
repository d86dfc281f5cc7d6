import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from hessbench.errors import HessbenchError
from hessbench.system.processes import run_tasks


def work(task, shared, report):
    report(task)
    if task == "fail":
        raise HessbenchError("task failed")
    if task == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    return task * shared, os.getpid(), torch.get_num_threads()


@pytest.mark.parametrize("processes", [1, 2])
def test_results_in_order_and_every_report(processes):
    reports = []
    results = run_tasks(work, [3, 1, 2], 10, processes, reports.append)
    assert [value for value, _, _ in results] == [30, 10, 20]
    assert sorted(reports) == [1, 2, 3]
    assert all(threads == 1 for _, _, threads in results)
    if processes == 2:
        assert os.getpid() not in {pid for _, pid, _ in results}


@pytest.mark.parametrize("processes", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_error_of_a_task_arrives(processes):
    with pytest.raises(HessbenchError, match="task failed"):
        run_tasks(work, ["fail", "a", "b", "c"], 1, processes, lambda _: None)


def talk(task, shared, report):
    if task == "fail":
        raise HessbenchError("task failed")
    for _ in range(2000):
        report("x" * 1000)  # many times what a pipe holds


@pytest.mark.slow
def test_reports_that_nobody_reads_keep_no_process_from_its_end():
    with pytest.raises(HessbenchError, match="task failed"):
        run_tasks(talk, ["fail", "a"], None, 2, lambda _: None)

    def refuse(_):
        raise HessbenchError("disk full")

    with pytest.raises(HessbenchError, match="disk full"):
        run_tasks(talk, ["a", "b"], None, 2, refuse)


@pytest.mark.slow
def test_killed_process_is_an_error():
    with pytest.raises(HessbenchError, match="killed from outside"):
        run_tasks(work, ["die", "a"], 1, 2, lambda _: None)


def announce(task, shared, report):
    (shared / str(os.getpid())).touch()
    time.sleep(120)


MAIN = """
import sys
from pathlib import Path
from hessbench.system.processes import run_tasks
from tests.system.test_processes import announce

if __name__ == "__main__":
    run_tasks(announce, [1, 2], Path(sys.argv[1]), 2, print)
"""


@pytest.mark.slow
def test_processes_end_when_the_one_that_started_them_is_killed(tmp_path):
    program = tmp_path / "main.py"
    program.write_text(MAIN)
    folder = tmp_path / "processes"
    folder.mkdir()
    environment = os.environ | {"PYTHONPATH": str(Path.cwd())}
    main = subprocess.Popen([sys.executable, program, folder], env=environment)
    wait_until(lambda: len(list(folder.iterdir())) == 2)
    main.kill()
    main.wait()
    started = [int(path.name) for path in folder.iterdir()]
    wait_until(lambda: not any(is_running(process) for process in started))


def wait_until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


def is_running(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{process}/stat")  # a process that ended and was not waited for is a zombie
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"
