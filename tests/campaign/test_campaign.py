"""Damaged files of every kind: read or refused in one sentence, never a crash, a hang or wrong content."""

import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest

from hessbench.errors import HessbenchError
from tests.campaign.campaign import (
    CRASH,
    MEMORY,
    READ,
    REFUSED,
    UNTYPED,
    WRONG,
    Kind,
    Sample,
    outcomes_of,
    run,
)
from tests.campaign.damage import Edit

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
    assert [item[0] for item in outcomes_of([Sample(kind, tmp_path, b"")])] == [outcome]


def test_one_child_reads_until_it_is_harmed(tmp_path):
    def read(folder: Path) -> object:
        content = (folder / "in").read_bytes()
        if content == b"segv":
            os.kill(os.getpid(), signal.SIGSEGV)
        return np.ones(160_000_000).sum() if content == b"fill" else content

    kind = Kind("in", lambda folder: None, read)

    def outcomes(*contents: bytes) -> list[str]:
        return [item[0] for item in outcomes_of([Sample(kind, tmp_path, item) for item in contents])]

    assert outcomes(b"1", b"2", b"3") == [READ] * 3
    assert outcomes(b"1", b"segv", b"3") == [READ, CRASH]
    assert outcomes(b"1", b"fill", b"3") == [READ, MEMORY]


def test_a_fault_is_counted_once_and_all_inputs_are_read():
    def read(folder: Path) -> object:
        if (folder / "in").read_bytes() != b"12345":
            os.kill(os.getpid(), signal.SIGSEGV)
        return None

    kinds = {
        "harmless": Kind("in", lambda folder: (folder / "in").write_bytes(b"12345"), lambda folder: None),
        "crashes": Kind("in", lambda folder: (folder / "in").write_bytes(b"12345"), read),
    }
    report = run(kinds, 20, seed=1)
    assert report.outcomes["harmless"] == {READ: 10}
    assert report.outcomes["crashes"].total() == 10
    assert len(report.faults) == report.outcomes["crashes"][CRASH] >= 5


def test_wrong_content_is_told_from_right(tmp_path):
    kind = Kind("in", lambda folder: None, lambda folder: (folder / "in").read_bytes(), sealed=True)
    outcome, digest = outcomes_of([Sample(kind, tmp_path, b"right")])[0]
    assert outcome == READ
    wrong = [Edit(0, 5, b"wrong")]
    samples = [Sample(kind, tmp_path, b"right", edits, digest) for edits in ([], wrong)]
    assert [item[0] for item in outcomes_of(samples)] == [READ, WRONG]


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
