"""A command that is killed at any moment, and given again, leaves what an undisturbed one leaves."""

import sys

import pytest

from tests.campaign.kills import run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="process groups")


@pytest.mark.parametrize(
    "kills",
    [
        pytest.param(10, marks=pytest.mark.slow),
        pytest.param(100, marks=pytest.mark.nightly),
    ],
)
def test_no_kill_harms(kills):
    report = run(kills, seed=kills)
    assert not report.faults, "\n".join(report.faults)
