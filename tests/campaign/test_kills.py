"""A command that is killed at any moment, and given again, leaves what an undisturbed one leaves."""

import json
import sys

import pytest

from tests.campaign.kills import content, run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="process groups")


def test_times_and_checkpoints_do_not_count_but_all_else_does(tmp_path):
    def written(seconds: float, seed: int) -> dict[str, str]:
        (tmp_path / "checkpoints").mkdir(exist_ok=True)
        (tmp_path / "checkpoints" / "a.pt").write_text(f"{seconds}")
        (tmp_path / "metrics.json").write_text(json.dumps({"seconds_per_pass": seconds, "rmse": seed}))
        (tmp_path / "training.json").write_text(json.dumps({"seeds": {"0": {"training_seconds": seconds}}}))
        (tmp_path / "history.csv").write_text(f"epoch,training_seconds\n{seed},{seconds}\n")
        return content(tmp_path)

    assert written(1.0, 0) == written(2.0, 0)
    one, other = written(1.0, 0), written(1.0, 1)
    assert {key for key in one if one[key] != other[key]} == {"metrics.json", "history.csv"}


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
