import io
import sqlite3
import tracemalloc

import numpy as np
import pytest

from hessbench.errors import DataError, HessbenchError
from hessbench.system.journal import Failure, Journal, Outcome

SETTINGS = {"level": "none", "fmax_ev": 0.01}


def test_outcomes_come_back_whole_and_by_name(tmp_path):
    path = tmp_path / "journal"
    with Journal(path, SETTINGS) as journal:
        journal.add(Outcome("b", {"number": np.array(3.5), "text": np.array(["a", "bc"])}))
        journal.add(Outcome("a", failures=[Failure("odd", "it is odd")]))
    with Journal(path, SETTINGS) as journal:
        assert journal.names() == {"a", "b"}
        first, second = journal.outcomes(["c", "b", "a"])
        assert [outcome.name for outcome in journal.outcomes(["b"])] == ["b"]
    assert first == Outcome("a", {}, [Failure("odd", "it is odd")])
    assert second.arrays["number"] == 3.5
    assert second.arrays["text"].tolist() == ["a", "bc"]


def test_one_outcome_at_a_time_is_in_memory(tmp_path):
    size = 1_000_000
    with Journal(tmp_path / "journal", SETTINGS) as journal:
        for index in range(20):
            journal.add(Outcome(f"n{index:02d}", {"array": np.full(size // 8, index, dtype=float)}))
        tracemalloc.start()
        total = sum(float(outcome.arrays["array"][0]) for outcome in journal.outcomes(journal.names()))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert total == sum(range(20))
    assert peak < 8 * size


def test_journal_of_other_settings_and_other_files_are_refused(tmp_path):
    path = tmp_path / "journal"
    Journal(path, SETTINGS).__exit__()
    Journal(path, dict(reversed(SETTINGS.items()))).__exit__()
    with pytest.raises(HessbenchError, match=r"made with fmax_ev 0\.01 instead of 0\.02; delete it"):
        Journal(path, {**SETTINGS, "fmax_ev": 0.02})
    (tmp_path / "text").write_text("no journal " * 100)
    with pytest.raises(HessbenchError, match="not a usable journal"):
        Journal(tmp_path / "text", SETTINGS)


def test_arrays_that_claim_more_than_they_take_are_refused(tmp_path):
    path = tmp_path / "journal"
    with Journal(path, SETTINGS) as journal:
        journal.add(Outcome("a", {"x": np.array(1.0)}))
    packed = io.BytesIO()
    np.savez_compressed(packed, x=np.zeros(20_000_000))
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE outcomes SET arrays = ?", (packed.getvalue(),))
    connection.close()
    with Journal(path, SETTINGS) as journal, pytest.raises(DataError, match="claims 160000128 bytes"):
        journal.get("a")
