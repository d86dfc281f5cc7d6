"""Damaged files of every kind: read or refused in one sentence, never a crash, a hang or wrong content."""

import sys

import pytest

from tests.campaign.campaign import run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits of processes")


@pytest.fixture(scope="module")
def all_kinds():
    from tests.campaign.inputs import kinds  # loads everything that reads

    return kinds()


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
