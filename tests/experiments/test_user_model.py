"""Calculators that fail or are killed on their way: rows, numbers, tables, and a place on the leaderboard."""

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from hessbench.calculators.brought import Brought
from hessbench.calculators.user_file import load_calculator
from hessbench.config.inputs import Inputs
from hessbench.data.structures import Structures, concatenate
from hessbench.experiments.errors.run.predictions import read_failures, verified_checksum
from hessbench.experiments.errors.run.scoring import TestSet
from hessbench.experiments.errors.run.tables import FAILURES
from hessbench.experiments.errors.run.user_model import evaluate_user_model
from hessbench.experiments.errors.tables import ensembles_table, write_ensembles_table
from hessbench.report.leaderboard import write_leaderboard
from hessbench.report.score import read_scores, score_predictions, write_score
from hessbench.results.reader import Results
from hessbench.results.store.tables import read_table
from tests.calculators.test_check import SPRINGS, springs, variant
from tests.made_up import write_made_up_run

NAMES = ("H2O", "CH4", "NH3", "CH3OH", "HCN", "CO2", "C2H2", "C2H4", "H2CO", "N2H4")
DATA = "springs 1 springs abc"
OWN = "\ndef hessian(atoms):\n    return exact(atoms)\n"


def structures(seed: int, folder: Path, names: tuple[str, ...] = NAMES) -> Structures:
    """Two displaced structures of each molecule, labelled by the springs."""
    return concatenate([springs(name, seed, folder) for name in names])


def sums(data: Structures, chosen: list[int]) -> list[float]:
    """By what a calculator knows structures again: the sum of all coordinates of each."""
    return [float(data.select(np.array([index])).coordinates.sum()) for index in chosen]


def at(places: list[float]) -> str:
    """Condition, in a calculator's file, of being asked about one of these structures."""
    return f"np.abs(self.atoms.positions.sum() - np.array({places})).min() < 1e-9"


def test_a_calculator_that_fails_on_every_tenth_structure_has_reasons_counts_and_a_place(tmp_path):
    test = structures(2, tmp_path)
    tenth = list(range(9, len(test), 10))
    path = tmp_path / "tenth.py"
    fails = f"if {at(sums(test, tenth))}: raise ValueError('no luck')"
    softer = "self.results = {key: 0.96 * value for key, value in self.results.items()}"
    path.write_text(SPRINGS + variant(f"{fails}\n        {softer}") + OWN)
    results = tmp_path / "results"
    write_made_up_run(results, data={"rtp": DATA})
    model = Brought("tenth", partial(load_calculator, path), "springs")
    sets = {"rtp": TestSet(DATA, "springs", test)}
    evaluate_user_model(model, 80, structures(1, tmp_path), sets, 1, results, Inputs({"rtp": DATA}))

    failures = read_table(results, FAILURES, part="tenth-80")
    assert len(failures) == len(tenth) == 2
    assert failures["reason"].str.contains("ValueError: no luck").all()
    stored = read_failures(results / "predictions/tenth-80.h5", "rtp")
    assert [item[:2] for item in stored] == list(
        zip(failures["reaction"], failures["structure"], strict=True)
    )

    table = ensembles_table(Results(results)).set_index("quantity")
    kept = test.select(np.setdiff1d(np.arange(len(test)), tenth))
    size = np.sqrt((kept.forces.astype(float) ** 2).mean())
    assert table.loc["force", "rmse"] == pytest.approx(0.04 * size, rel=1e-3)  # of the others alone
    assert table["failed"].tolist() == [2, 2, 2]
    _, markdown = write_ensembles_table(results=Results(results), tables=tmp_path / "tables")
    header, _, first = (line.split("|") for line in markdown.read_text().splitlines()[2:5])
    shown = dict(zip((cell.strip() for cell in header), (cell.strip() for cell in first), strict=True))
    assert (shown["Loss"], shown["Failed"]) == ("tenth", "2")

    write_score(score_predictions(results / "predictions/tenth-80.h5", sets), tmp_path / "scores")
    (score,) = read_scores(tmp_path / "scores")
    assert (score.sets["rtp"].structures, score.sets["rtp"].failed) == (18, 2)
    assert score.sets["rtp"].errors["force"].value == pytest.approx(table.loc["force", "rmse"], rel=1e-9)
    write_leaderboard([score], tmp_path / "leaderboard.html")
    page = (tmp_path / "leaderboard.html").read_text()
    assert "tenth" in page
    assert 'data-value="2">2<small>of 20</small>' in page


def test_a_calculator_that_never_fails_and_is_called_as_what_is_missing_is_a_row(tmp_path):
    path = tmp_path / "NA.py"
    path.write_text(SPRINGS + variant("pass") + OWN)
    results = tmp_path / "results"
    write_made_up_run(results, data={"rtp": DATA})
    names = NAMES[:3]
    sets = {"rtp": TestSet(DATA, "springs", structures(2, tmp_path, names))}
    model, training = Brought("NA", partial(load_calculator, path), "springs"), structures(1, tmp_path, names)
    evaluate_user_model(model, 80, training, sets, 1, results, Inputs({"rtp": DATA}))
    table = ensembles_table(Results(results))
    assert (table["loss"].unique().tolist(), table["failed"].tolist()) == (["NA"], [0, 0, 0])
    csv, markdown = write_ensembles_table(results=Results(results), tables=tmp_path / "tables")
    assert csv.read_text().count("NA,80,") == 3
    assert markdown.read_text().count("| NA ") == 3


PROGRAM = """
import sys
from pathlib import Path
import numpy as np
from hessbench.calculators.brought import bring
from hessbench.config.inputs import Inputs
from hessbench.experiments.errors.run.scoring import TestSet
from hessbench.experiments.errors.run.user_model import evaluate_user_model
from tests.experiments.test_user_model import DATA, structures

folder, results = Path(sys.argv[1]), Path(sys.argv[2])
names = ("H2O", "CH4", "NH3")
training, test = (structures(seed, folder, names) for seed in (1, 2))
sets = {"rtp": TestSet(DATA, "springs", test)}
evaluate_user_model(bring(folder / "mine.py"), 80, training, sets, 1, results, Inputs({"rtp": DATA}))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_what_was_killed_in_the_middle_ends_with_the_predictions_of_an_undisturbed_run(tmp_path):
    """The calculator's process is killed at the second structure, the whole command at the fourth."""
    own, command = sums(structures(2, tmp_path, ("H2O", "CH4", "NH3")), [1, 3])
    once = "\n        ".join(
        f"""if {at([place])} and not pathlib.Path({str(tmp_path / flag)!r}).exists():
            pathlib.Path({str(tmp_path / flag)!r}).touch()
            os.kill({victim}, signal.SIGKILL)"""
        for place, flag, victim in ((own, "own", "os.getpid()"), (command, "all", "os.getppid()"))
    )
    mine = tmp_path / "mine.py"
    mine.write_text("import os, pathlib, signal\n" + SPRINGS + variant(once) + OWN)

    def run(results: str) -> int:
        arguments = [sys.executable, "-c", PROGRAM, str(tmp_path), str(tmp_path / results)]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        return subprocess.run(arguments, capture_output=True, check=False, env=environment).returncode

    assert run("killed") == -signal.SIGKILL
    assert (tmp_path / "own").exists()
    assert (tmp_path / "killed/checkpoints/evaluate-mine-80.sqlite").exists()
    assert not (tmp_path / "killed/predictions").exists()
    assert run("killed") == 0
    assert run("whole") == 0
    checksums = {
        verified_checksum(tmp_path / name / "predictions/mine-80.h5") for name in ("killed", "whole")
    }
    assert len(checksums) == 1
    assert read_table(tmp_path / "killed", FAILURES, part="mine-80").empty
