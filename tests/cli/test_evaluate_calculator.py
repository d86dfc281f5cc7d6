"""`hessbench evaluate --calculator` and `neb --calculator`: errors of users, and work without a clone."""

import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from hessbench.errors import ConfigurationError
from hessbench.experiments.errors.run.command import command as evaluate
from hessbench.experiments.neb.run.command import command as neb


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--loss", "e", "--calculator", "mine.py"], "either --loss or --calculator"),
        (["--data", "mine.h5"], "--data needs either --loss or --calculator"),
        (["--set", "rtp"], "--set belongs to --calculator"),
        (["--name", "mine"], "--name and --card belong to --calculator"),
        (["--loss", "e", "--card", "mine.yaml"], "--name and --card belong to --calculator"),
    ],
)
def test_options_that_do_not_go_together(arguments, problem, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text('{"training": {"losses": {"e": {}}}}')
    result = CliRunner().invoke(evaluate, ["--percent", "80", *arguments])
    assert result.exit_code == 2
    assert problem in result.output


def test_help_says_what_the_file_must_hold():
    for command in (evaluate, neb):
        assert "ASE calculator" in CliRunner().invoke(command, ["--help"]).output


CALCULATOR = """
import numpy as np
from ase.calculators.calculator import Calculator, all_changes

class Trap(Calculator):
    implemented_properties = ["energy", "forces"]

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        place = self.atoms.positions - self.atoms.positions.mean(axis=0)
        self.results = {"energy": 0.5 * (place**2).sum(), "forces": -place}

calculator = Trap()

def hessian(atoms):
    return np.eye(3 * len(atoms))
"""


def hessbench(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "hessbench", *arguments]
    result = subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.slow
def test_without_settings_the_embedded_sets_are_used_and_give_the_numbers_of_the_desktop_profile(tmp_path):
    bare, project = tmp_path / "bare", tmp_path / "project"
    for folder in (bare, project):
        folder.mkdir()
        (folder / "trap.py").write_text(CALCULATOR)
    shutil.copy(Path(__file__).parents[2] / "reproduce/profiles/desktop.yaml", project / "params.yaml")
    for command in ("dataset", "split"):
        hessbench(project, command)
    said, known = (hessbench(item, "evaluate", "--calculator", "trap.py") for item in (bare, project))
    note, _, table = said.partition("\n")
    assert note.startswith("No params.yaml here: scored on the data that come with the package")
    shows = "`hessbench table && hessbench figure all && hessbench report` shows it beside the losses\n"
    assert table + shows == known
    path = "results/brought/errors/trap-80.parquet"
    frames = [pd.read_parquet(item / path) for item in (bare, project)]
    pd.testing.assert_frame_equal(*frames)
    assert sorted(item.name for item in bare.iterdir()) == ["results", "trap.py"]
    hessbench(bare, "evaluate", "--calculator", "trap.py", "--set", "rtp")
    part = pd.read_parquet(bare / path)
    pd.testing.assert_frame_equal(part, frames[0][frames[0]["set"] == "rtp"].reset_index(drop=True))


def test_sets_are_chosen_for_a_calculator_only():
    result = CliRunner().invoke(evaluate, ["--loss", "e", "--set", "rtp"])
    assert result.exit_code == 2
    assert "--set belongs to --calculator" in result.output


def test_a_training_part_that_cannot_be_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "trap.py").write_text(CALCULATOR)
    result = CliRunner().invoke(evaluate, ["--percent", "95", "--calculator", "trap.py"])
    assert isinstance(result.exception, ConfigurationError)
    assert "--percent: split" in str(result.exception)
