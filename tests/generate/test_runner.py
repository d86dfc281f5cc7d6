import os
import time
from dataclasses import dataclass

import numpy as np
import pytest

from hessbench.errors import HessbenchError
from hessbench.generate.runner import Failure, Journal, Outcome, run

SETTINGS = {"level": "none", "fmax_ev": 0.01}


@dataclass(frozen=True)
class Count:
    name: str
    log: str
    fatal: bool = False


def count(task: Count) -> Outcome:
    if task.fatal:
        os._exit(9)
    with open(task.log, "a") as file:  # noqa: PTH123 (one short append is atomic)
        file.write(task.name + "\n")
    time.sleep(0.01)
    number = int(task.name[1:])
    failures = [Failure("odd", "it is odd")] if number % 2 else []
    return Outcome(task.name, {"number": np.array(number), "text": np.array(["a", "bc"])}, failures)


def tasks(tmp_path, numbers):
    return [Count(f"n{number:02d}", str(tmp_path / "log")) for number in numbers]


@pytest.mark.parametrize("workers", [1, 3])
def test_outcomes_come_back_by_name_whatever_the_order_and_the_workers(tmp_path, workers):
    with Journal(tmp_path / "journal", SETTINGS) as journal:
        run(count, tasks(tmp_path, [3, 1, 2, 0]), journal, workers, "count")
        outcomes = list(journal.outcomes())
    assert [outcome.name for outcome in outcomes] == ["n00", "n01", "n02", "n03"]
    assert [int(outcome.arrays["number"]) for outcome in outcomes] == [0, 1, 2, 3]
    assert outcomes[1].failures == [Failure("odd", "it is odd")]
    assert outcomes[0].failures == []
    assert outcomes[2].arrays["text"].tolist() == ["a", "bc"]


def test_finished_tasks_are_not_done_again(tmp_path):
    for numbers in ([0, 1], [0, 1, 2, 3], [3]):
        with Journal(tmp_path / "journal", SETTINGS) as journal:
            run(count, tasks(tmp_path, numbers), journal, 2, "count")
    assert sorted((tmp_path / "log").read_text().split()) == ["n00", "n01", "n02", "n03"]


def test_journal_of_other_settings_and_other_files_are_refused(tmp_path):
    path = tmp_path / "journal"
    Journal(path, SETTINGS).__exit__()
    Journal(path, dict(reversed(SETTINGS.items()))).__exit__()
    with pytest.raises(HessbenchError, match=r"other settings .*0\.02"):
        Journal(path, {**SETTINGS, "fmax_ev": 0.02})
    (tmp_path / "text").write_text("no journal " * 100)
    with pytest.raises(HessbenchError, match="not a usable journal"):
        Journal(tmp_path / "text", SETTINGS)


def test_a_dead_worker_is_told_and_loses_nothing_finished(tmp_path):
    path = tmp_path / "journal"
    fatal = Count("n99", "", fatal=True)
    with Journal(path, SETTINGS) as journal:
        run(count, tasks(tmp_path, range(4)), journal, 1, "count")
        with pytest.raises(HessbenchError, match="run the same command again"):
            run(count, [*tasks(tmp_path, range(4)), fatal], journal, 2, "count")
        assert journal.names() == {"n00", "n01", "n02", "n03"}
        run(count, tasks(tmp_path, range(6)), journal, 1, "count")
        assert len(journal.names()) == 6
