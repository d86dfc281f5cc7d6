import os
import signal

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


@pytest.mark.slow
def test_killed_process_is_an_error():
    with pytest.raises(HessbenchError, match="killed from outside"):
        run_tasks(work, ["die", "a"], 1, 2, lambda _: None)
