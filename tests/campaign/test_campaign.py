"""Damaged files of every kind: read or refused in one sentence, never a crash, a hang or wrong content."""

import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest

from hessbench.errors import HessbenchError
from tests.campaign.campaign import CRASH, MEMORY, READ, REFUSED, UNTYPED, WRONG, Kind, outcome_of, run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits of processes")


@pytest.fixture(scope="module")
def all_kinds():
    from tests.campaign.inputs import kinds  # loads everything that reads

    return kinds()


def _raises(folder: Path) -> None:
    raise HessbenchError("refused")


@pytest.mark.parametrize(
    ("read", "outcome"),
    [
        (lambda folder: None, READ),
        (_raises, REFUSED),
        (lambda folder: 1 / 0, UNTYPED),
        (lambda folder: sys.exit(0), UNTYPED),
        (lambda folder: os.kill(os.getpid(), signal.SIGSEGV), CRASH),
        (lambda folder: np.ones(160_000_000).sum(), MEMORY),
    ],
)
def test_outcomes_are_told_apart(tmp_path, read, outcome):
    kind = Kind("in", lambda folder: None, read)
    assert outcome_of(kind, tmp_path, b"", None)[0] == outcome


def test_wrong_content_is_told_from_right(tmp_path):
    kind = Kind("in", lambda folder: None, lambda folder: (folder / "in").read_bytes(), sealed=True)
    outcome, digest = outcome_of(kind, tmp_path, b"right", None)
    assert outcome == READ
    assert outcome_of(kind, tmp_path, b"right", digest)[0] == READ
    assert outcome_of(kind, tmp_path, b"wrong", digest)[0] == WRONG


@pytest.mark.parametrize(
    "inputs",
    [
        pytest.param(2_000, marks=pytest.mark.slow),
        pytest.param(20_000, marks=pytest.mark.nightly),
    ],
)
def test_no_damage_harms(all_kinds, inputs):
    report = run(all_kinds, inputs, seed=inputs)
    assert not report.faults, "\n".join(report.faults)
