"""`hessbench pin` and `hessbench check` on a whole made-up run, as a user meets them."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hessbench.cli import main
from hessbench.errors import HessbenchError
from hessbench.experiments.errors.tables import read_tables, write_ensembles_table, write_rmse_table
from hessbench.results.published import read_published
from hessbench.results.reader import Results
from hessbench.verification.pinned import RTOL, STANDARD_ERRORS, pin
from tests.made_up import DATA, write_made_up_run
from tests.synthetic_errors import PAPER, errors_table, write_errors, write_run

REPRODUCE = Path("reproduce").resolve()
SHARP = {"spread": 0.02, "noise": 0.05, "reactions": 12}


def complete(folder, rmse=PAPER, **options):
    """A run with its tables."""
    results = write_run(folder, rmse, **(SHARP | options))
    for name in ("table-2", "table-3", "table-4"):
        write_rmse_table(name, "Title", results=Results(results), tables=folder / "tables")
    return folder


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    folder = complete(tmp_path_factory.mktemp("project"))
    (folder / "reproduce").mkdir()
    shutil.copy(REPRODUCE / "published.yaml", folder / "reproduce")
    (folder / "dvc.yaml").touch()
    return folder


@pytest.fixture
def project(template, tmp_path, monkeypatch):
    folder = tmp_path / "project"
    shutil.copytree(template, folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def run(capsys):
    def call(*arguments):
        try:
            main(arguments)
        except SystemExit as end:
            status = end.code or 0
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return call


@pytest.fixture(scope="module")
def pins(template, tmp_path_factory):
    """Folder of what `hessbench pin` writes of the run as it is."""
    folder = tmp_path_factory.mktemp("pinned") / "project"
    shutil.copytree(template, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        with pytest.raises(SystemExit) as end:
            main(["pin"])
    assert not end.value.code
    return folder / "reproduce" / "pinned"


@pytest.fixture
def pinned(project, pins):
    shutil.copytree(pins, project / "reproduce" / "pinned")
    return project / "reproduce" / "pinned" / "ci.csv"


def test_the_run_that_was_pinned_passes_and_gets_verdicts(project, pinned, run):
    status, out, err = run("check")
    assert (status, err) == (0, "")
    assert "27 of 27 values within tolerance" in out
    claims = read_published().claims
    assert f"{len(claims)} claims" in out
    assert list(pd.read_csv(project / "tables" / "verdicts.csv")["claim"]) == list(claims)
    assert (project / "tables" / "verdicts.md").exists()


@pytest.mark.parametrize(("sign", "word"), [(1, "better"), (-1, "worse")])
def test_a_pinned_number_changed_by_ten_tolerances(pinned, run, sign, word):
    frame = pd.read_csv(pinned)
    row = frame.iloc[13]
    frame.loc[13, "rmse"] += sign * 10 * (row["atol"] + row["rtol"] * row["rmse"])
    frame.to_csv(pinned, index=False)
    status, out, _ = run("check", "--format", "markdown")
    assert status == 1
    line = next(line for line in out.splitlines() if f"| {word} " in line)
    for cell in (row["table"], row["loss"], row["quantity"]):
        assert cell in line
    assert "26 of 27 values within tolerance; 1 " + word in out


def test_a_removed_and_an_added_row(pinned, run):
    frame = pd.read_csv(pinned)
    gone = frame.iloc[5]
    frame.drop(index=5).to_csv(pinned, index=False)
    status, out, _ = run("check")
    assert status == 1
    line = next(line for line in out.splitlines() if " extra " in line)
    assert gone["table"] in line
    assert gone["quantity"] in line
    added = pd.concat([frame, frame.iloc[[5]].assign(loss="E-F-H-T")])
    added.to_csv(pinned, index=False)
    status, out, _ = run("check")
    assert status == 1
    assert "E-F-H-T" in next(line for line in out.splitlines() if " missing " in line)


def test_nothing_pinned(project, run):
    status, _, err = run("check")
    assert status == 2
    assert "reproduce/pinned/ci.csv does not exist: nothing is pinned" in err
    assert "hessbench pin" in err
    assert "Traceback" not in err


def test_another_profile_is_refused(pinned, run):
    status, _, err = run("check", "--profile", "desktop")
    assert status == 2
    assert "profile ci, not desktop" in err
    assert run("check", "--profile", "ci")[0] == 0
    pinned.write_text(pinned.read_text().replace("ci,", "desktop,"))
    status, _, err = run("check")
    assert status == 2
    assert "desktop where ci belongs" in err


OTHER = DATA | {"irc": "made-up-irc 2.0 none fedcba987654"}


def test_a_run_of_other_data_than_pinned_fails(tmp_path, project, pinned, run):
    take_over(project, complete(tmp_path / "other", data=OTHER), "results", "tables")
    status, out, err = run("check")
    assert (status, out) == (1, "")
    assert err.startswith(f"hessbench: {Path('reproduce/pinned/ci.csv')} was pinned on the data")
    assert "table-3" in err
    assert "fedcba987654" in err


def test_results_that_an_earlier_data_set_left_fail(tmp_path, project, pinned, run):
    write_made_up_run(project / "results", data=OTHER)
    status, _, err = run("check")
    assert status == 1
    assert "tables/table-3.csv cannot be of these results: " in err
    assert "was made from other data (irc: made-up-irc 1.0" in err


def test_tables_that_name_other_data_than_the_results_fail(project, pinned, run):
    path = project / "tables" / "table-3.csv"
    path.write_text(path.read_text().replace(DATA["irc"], OTHER["irc"]))
    status, out, err = run("check")
    assert status == 1
    assert "27 of 27 values within tolerance" in out
    assert "tables/table-3.csv is not what results gives; `hessbench table 3`" in err


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (",rtol,", ",tolerance,", "column rtol is missing"),
        (",0.01,", ",little,", "column rtol: not a number in row 1"),
    ],
)
def test_damaged_pinned_file(pinned, run, old, new, words):
    pinned.write_text(pinned.read_text().replace(old, new))
    status, _, err = run("check")
    assert status == 2
    assert words in err


def test_tolerance_of_one_run(project):
    frame, tables = pin([project]), read_tables(project / "tables")
    np.testing.assert_allclose(frame["atol"], STANDARD_ERRORS * tables["spread"] * np.sqrt(2 / 3), rtol=1e-6)
    assert (frame["rtol"] == RTOL).all()
    np.testing.assert_allclose(frame["rmse"], tables["rmse"])


def test_several_runs(tmp_path, project, run):
    other = complete(tmp_path / "other", {key: 1.2 * value for key, value in PAPER.items()})
    status, out, _ = run("pin", "--from", str(project), str(other))
    assert status == 0
    assert "27 values from 2 run(s)" in out
    frame = pd.read_csv(project / "reproduce" / "pinned" / "ci.csv")
    both = np.array([read_tables(folder / "tables")["rmse"] for folder in (project, other)])
    np.testing.assert_allclose(frame["rmse"], both.mean(axis=0), rtol=1e-5)
    # Runs differ more than models: their spread makes the tolerance.
    np.testing.assert_allclose(
        frame["atol"], STANDARD_ERRORS * both.std(axis=0, ddof=1) * np.sqrt(3 / 2), rtol=1e-4
    )
    assert run("check")[0] == 0


def test_runs_of_different_data_or_rows_are_not_pinned_together(tmp_path, project):
    other = complete(tmp_path / "other", profile="desktop")
    with pytest.raises(HessbenchError, match="profile desktop"):
        pin([project, other])
    fewer = complete(tmp_path / "fewer", seeds=2)
    with pytest.raises(HessbenchError, match="numbers of models"):
        pin([project, fewer])


def test_one_model_of_one_run_has_no_tolerance(tmp_path):
    alone = complete(tmp_path / "alone", seeds=1)
    with pytest.raises(HessbenchError, match="no spread"):
        pin([alone])


def take_over(project, other, *folders):
    """Replace folders of a project by those of another run."""
    for folder in folders:
        shutil.rmtree(project / folder)
        shutil.copytree(other / folder, project / folder)


def test_a_rerun_with_other_seeds_passes_and_a_regression_fails(tmp_path, pinned, project, run):
    rerun = complete(tmp_path / "rerun", {key: 1.01 * value for key, value in PAPER.items()})
    take_over(project, rerun, "results", "tables")
    assert run("check")[0] == 0
    broken = PAPER | {("nms", "efh", "hessian"): 1.3 * PAPER["nms", "efh", "hessian"]}
    regression = complete(tmp_path / "regression", broken)
    take_over(project, regression, "results", "tables")
    status, out, _ = run("check")
    assert status == 1
    assert "1 worse" in out


def test_tables_that_are_not_those_of_the_results_beside_them_fail(tmp_path, pinned, project, run):
    worse = complete(tmp_path / "worse", {key: 3 * value for key, value in PAPER.items()})
    take_over(project, worse, "results")
    status, out, err = run("check")
    assert status == 1
    assert "27 of 27 values within tolerance" in out  # the tables are those of before
    for name in ("2", "3", "4"):
        assert f"tables/table-{name}.csv is not what results gives; `hessbench table {name}`" in err


def test_tables_of_other_results_are_not_pinned(pinned, project, run):
    before = pinned.read_text()
    path = project / "tables" / "table-3.csv"
    frame = pd.read_csv(path)
    frame["rmse"] *= 3
    frame.to_csv(path, index=False)
    status, _, err = run("pin")
    assert status == 2
    assert "table-3.csv is not what" in err
    assert "`hessbench table 3`" in err
    assert pinned.read_text() == before


def test_a_loss_that_left_the_profile_fails(pinned, project, run):
    write_made_up_run(project / "results", losses=("e", "ef"))
    status, _, err = run("check")
    assert status == 1
    assert "tables/table-2.csv cannot be of these results" in err
    assert "settings (training.losses.efh, which left the profile)" in err


def evaluate_user_model(project, name):
    """A user's model, which knows no Hessians, is evaluated in a project."""
    for percent, more in ((5, 2.0), (80, 1.0)):
        targets = {
            (test_set, quantity): more * PAPER[test_set, "efh", quantity]
            for test_set in ("rtp", "irc", "nms")
            for quantity in ("energy", "force")
        }
        rows = errors_table(targets, loss=name, percent=percent, seeds=1, noise=0.05, reactions=4)
        write_errors(project / "results", rows, loss=name, percent=percent)


def test_users_models_are_pinned_and_guarded(project, pinned, run):
    names = ["mine", "None", "NA", "null", "nan"]
    for name in names:
        evaluate_user_model(project, name)
    write_ensembles_table(results=Results(project / "results"), tables=project / "tables")
    status, out, _ = run("check")
    assert status == 1
    assert "27 of 57 values within tolerance; 30 extra" in out
    assert run("pin")[0] == 0
    frame = pd.read_csv(pinned, keep_default_na=False)
    expected = [PAPER[s, "efh", quantity] for s in ("rtp", "irc", "nms") for quantity in ("energy", "force")]
    for name in names:
        mine = frame[frame["loss"] == name]
        assert mine["table"].unique().tolist() == ["ensembles-rtp", "ensembles-irc", "ensembles-nms"]
        assert (mine["atol"] == 0).all()
        np.testing.assert_allclose(mine["rmse"], expected, rtol=0.05)
    assert (frame.loc[~frame["loss"].isin(names), "atol"] > 0).all()
    assert run("check")[0] == 0
    beside = project / "tables" / "ensembles.csv"
    table = pd.read_csv(beside, keep_default_na=False, na_values=[""])
    table.loc[table["loss"].isin(names), "rmse"] *= 1.1
    table.to_csv(beside, index=False)
    status, out, err = run("check", "--format", "markdown")
    assert status == 1
    assert "27 of 57 values within tolerance; 30 worse" in out
    assert "ensembles.csv is not what results gives" in err
    beside.unlink()
    status, out, _ = run("check")
    assert status == 1
    assert "27 of 57 values within tolerance; 30 missing" in out
