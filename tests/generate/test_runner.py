import os
import signal
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from hessbench.cluster.connection import Cluster
from hessbench.errors import HessbenchError
from hessbench.generate import runner
from hessbench.generate.runner import QUEUE_PER_WORKER, run
from hessbench.system.journal import Failure, Journal, Outcome

SETTINGS = {"level": "none", "fmax_ev": 0.01}


@dataclass(frozen=True)
class Task:
    name: str
    log: Path

    def write(self) -> None:
        with self.log.open("a") as file:  # one short append is atomic
            file.write(f"{self.name} {os.getpid()}\n")


def number(task: Task) -> Outcome:
    task.write()
    time.sleep(0.01)
    failures = [Failure("odd", "it is odd")] if int(task.name) % 2 else []
    return Outcome(task.name, {"number": np.array(int(task.name))}, failures)


def slow(task: Task) -> Outcome:
    task.write()
    time.sleep(0.2)
    return Outcome(task.name, {"number": np.array(int(task.name))})


def fatal_if_13(task: Task) -> Outcome:
    if task.name == "13":
        os._exit(9)
    return number(task)


def refuse(task: Task) -> Outcome:
    raise HessbenchError(f"no level for {task.name}")


@pytest.fixture
def journal(tmp_path):
    with Journal(tmp_path / "journal", SETTINGS) as journal:
        yield journal


@pytest.fixture
def load(tmp_path):
    return lambda name: Task(name, tmp_path / "log")


def done(tmp_path) -> list[str]:
    return sorted(line.split()[0] for line in (tmp_path / "log").read_text().splitlines())


def test_everything_is_done_once_whatever_was_done_before(tmp_path, journal, load, cluster):
    for names in (["03", "01"], ["03", "01", "02", "00"], ["01"]):
        assert run(number, names, load, journal, cluster, "number") == []
    assert done(tmp_path) == ["00", "01", "02", "03"]
    outcomes = list(journal.outcomes(journal.names()))
    assert [int(outcome.arrays["number"]) for outcome in outcomes] == [0, 1, 2, 3]
    assert [len(outcome.failures) for outcome in outcomes] == [0, 1, 0, 1]


def test_nothing_to_do_needs_no_cluster(journal, load):
    journal.add(Outcome("01"))
    assert run(number, ["01"], load, journal, Cluster(scheduler="tcp://127.0.0.1:1"), "number") == []


def test_a_bounded_number_of_tasks_is_in_flight(tmp_path, journal, cluster):
    handed_out = 0

    def load(name: str) -> Task:
        nonlocal handed_out
        handed_out += 1
        assert handed_out - len(journal.names()) <= QUEUE_PER_WORKER * 2 + 1
        return Task(name, tmp_path / "log")

    run(number, [f"{index:02d}" for index in range(30)], load, journal, cluster, "number")
    assert handed_out == len(journal.names()) == 30


def test_a_killed_worker_is_replaced_and_its_work_done_by_others(tmp_path, journal, load, cluster):
    log = tmp_path / "log"

    def kill() -> None:
        while not log.exists() or log.read_text().count("\n") < 4:
            time.sleep(0.01)
        os.kill(int(log.read_text().split()[1]), signal.SIGKILL)

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    names = [f"{index:02d}" for index in range(16)]
    assert run(slow, names, load, journal, cluster, "slow") == []
    killer.join()
    assert journal.names() == set(names)
    assert all(outcome.failures == [] for outcome in journal.outcomes(names))
    assert set(done(tmp_path)) == set(names)


@pytest.mark.slow
def test_a_task_that_kills_workers_is_a_failure_and_takes_no_other_with_it(journal, load, cluster):
    names = [f"{index:02d}" for index in range(10, 20)]
    lost = run(fatal_if_13, names, load, journal, cluster, "fatal")
    assert lost == [Outcome("13", failures=[Failure("reaction", runner.KILLED)])]
    assert journal.names() == set(names) - {"13"}
    # The next run tries it again.
    assert run(number, names, load, journal, cluster, "number") == []
    assert journal.names() == set(names)


def test_an_error_on_a_worker_is_told(journal, load, cluster):
    with pytest.raises(HessbenchError, match="no level for 01"):
        run(refuse, ["01"], load, journal, cluster, "refuse")


def test_workers_with_other_programs_are_refused(journal, load, cluster, monkeypatch):
    monkeypatch.setattr(runner, "versions", lambda: {**versions, "tblite": "0.1"})
    with pytest.raises(HessbenchError, match=rf"has tblite {versions['tblite']} instead of 0\.1; results"):
        run(number, ["01"], load, journal, cluster, "number")


versions = runner.versions()
