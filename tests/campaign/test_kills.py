"""A command that is killed at any moment, and given again, leaves what an undisturbed one leaves."""

import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path

import pytest
import yaml

from tests.campaign.kills import begun, content, finished, run, settings

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


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A project with one small model, before bands, spectra and searches, in two processes."""
    project = tmp_path_factory.mktemp("trained")
    profile = settings()
    profile["training"]["seeds"] = 1
    profile["neb"] |= {"held_out": 1, "processes": 2}
    profile["ts_search"] |= {"processes": 2}
    (project / "params.yaml").write_text(yaml.safe_dump(profile), encoding="utf-8")
    for arguments in (("dataset",), ("split",), ("train", "--loss", "e")):
        assert finished(project, arguments) == "", arguments
    return project


def kill_when_kept(project: Path, command: str, files: int) -> None:
    """Kill a command and all its processes as soon as it has kept so many pieces of work."""
    folder = project / "results" / "checkpoints" / command.replace("-", "_")
    process = begun(project, (command,))
    while process.poll() is None and len(list(folder.glob("[!.]*.npz"))) < files:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


@pytest.mark.slow
def test_bands_spectra_and_searches_that_were_killed_go_on(trained, tmp_path):
    """Killed in the search for reactions and between bands, after a reference's Hessians, after a search."""
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    shutil.copytree(trained, whole)
    shutil.copytree(trained, killed)
    for command, kept, what in (
        ("neb", (2, 6), "bands"),
        ("spectra", (1,), "potentials"),
        ("ts-search", (1,), "searches"),
    ):
        assert finished(whole, (command,)) == ""
        for files in kept:
            kill_when_kept(killed, command, files)
        assert finished(killed, (command,)) == ""
        said = (killed / "said.txt").read_text(encoding="utf-8")
        assert f"{what} are done already, by an interrupted run." in said
        assert content(killed) == content(whole)
        left = (killed / "results" / "checkpoints").iterdir()
        assert {path.name for path in left if path.suffix != ".lock"} == {"train"}  # trainings keep theirs
