"""Two runs compared structure by structure: the statistics, and the command on folders and revisions."""

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from hessbench.config.inputs import Inputs
from hessbench.errors import HessbenchError
from hessbench.experiments.errors.run.tables import ERRORS
from hessbench.experiments.errors.tables import write_rmse_table
from hessbench.results.published import read_published
from hessbench.results.reader import Results
from hessbench.results.store.tables import BROUGHT, read_table
from hessbench.verification.amounts import of_errors
from hessbench.verification.comparison import BETTER, WORSE
from hessbench.verification.other_run import find_run
from hessbench.verification.paired import SAME, Amounts, compare_runs
from tests.made_up import trained
from tests.synthetic_errors import PAPER, write_errors, write_run
from tests.verification.test_gate import SHARP, complete, pinned, pins, project, run, template  # noqa: F401


def amounts(values: np.ndarray, **options) -> Amounts:
    """Squared errors of (seeds, reactions, structures), one element each."""
    seeds, reactions, structures = np.indices(values.shape)
    rows = pd.DataFrame(
        {
            "loss": "E-F",
            "percent": 80,
            "value": "force",
            "seed": seeds.ravel(),
            "reaction": reactions.ravel().astype(str),
            "structure": structures.ravel(),
            "amount": values.ravel(),
            "count": 1,
        }
    )
    return Amounts(rows, **({"power": 0.5} | options))


def one(before: np.ndarray, now: np.ndarray, **options) -> pd.Series:
    table, _ = compare_runs([amounts(before, **options)], [amounts(now, **options)])
    (row,) = table.to_dict("records")
    return row


def test_the_same_run_twice_has_not_changed():
    values = np.random.default_rng(0).lognormal(0, 1, (3, 20, 2))
    row = one(values, values)
    assert (row["ratio"], row["low"], row["high"], row["status"]) == (1, 1, 1, SAME)


def test_ratio_is_that_of_the_root_mean_squares_of_each_seed():
    random = np.random.default_rng(1)
    before, now = random.lognormal(0, 1, (2, 3, 20, 2))
    each = [np.sqrt(now[seed].mean() / before[seed].mean()) for seed in range(3)]
    row = one(before, now)
    assert row["ratio"] == pytest.approx(stats.gmean(each), rel=1e-12)
    assert row["low"] < row["ratio"] < row["high"]
    assert (row["models"], row["reactions"], row["pairs"]) == (3, 20, 120)


def test_a_factor_common_to_all_pairs_is_certain_and_where_larger_is_better_is_better():
    values = np.random.default_rng(2).lognormal(0, 1, (2, 9, 1))
    assert one(values, 1.02**2 * values)["status"] == WORSE
    assert one(values, 0.98**2 * values)["status"] == BETTER
    assert one(values, 1.02**2 * values, larger_is_better=True)["status"] == BETTER
    assert one(values, 1.02**2 * values)["ratio"] == pytest.approx(1.02, rel=1e-12)


@pytest.mark.parametrize("models", [1, 3])
def test_intervals_hold_the_truth_as_often_as_they_say(models):
    """Errors that differ by reaction, by seed and by pair around a true ratio; 95 % intervals."""
    random = np.random.default_rng(models)
    truth, trials = 1.03, 150
    befores, nows = [], []
    for trial in range(trials):
        difficulty = random.lognormal(0, 1, (1, 25, 1))
        of_models = random.normal(0, 0.05 if models > 1 else 0, (models, 1, 1))
        change = of_models + random.normal(0, 0.1, (1, 25, 1))
        before = difficulty * random.lognormal(0, 0.2, (models, 25, 1))
        now = before * truth**2 * np.exp(2 * change) / np.exp(2 * 0.1**2)
        for side, values in ((befores, before), (nows, now)):
            side.append(amounts(values).rows.assign(value=f"{trial:03d}"))
    runs = ([Amounts(pd.concat(side), power=0.5)] for side in (befores, nows))
    table, _ = compare_runs(*runs)
    assert len(table) == trials
    hits = int(table["low"].le(truth).mul(table["high"].ge(truth)).sum())
    assert stats.binomtest(hits, trials, 0.95).pvalue > 1e-3


@pytest.mark.parametrize(("trials", "most"), [(3, 1), pytest.param(10, 2, marks=pytest.mark.slow)])
def test_many_values_without_a_change_seldom_fail(trials, most):
    """Tested together: of 27 values of two runs that differ by chance none is worse, most times."""
    random, failed = np.random.default_rng(5), 0
    for _ in range(trials):
        befores, nows = [], []
        for value in range(27):
            base = random.lognormal(0, 1, (3, 15, 1))
            for side in (befores, nows):
                item = amounts(base * random.lognormal(0, 0.1, base.shape))
                item.rows["value"] = str(value)
                side.append(item)
        table, _ = compare_runs(befores, nows)
        failed += (table["status"] == WORSE).any()
    assert failed <= most


def test_what_is_not_paired_is_said_and_other_structures_are_refused():
    values = np.ones((2, 4, 1))
    before, now = amounts(values), amounts(values)
    now = replace(now, rows=now.rows.drop(index=0))
    table, notes = compare_runs([before], [now])
    assert notes == ["E-F, 80 %, force: 1 only before, not compared"]
    assert table["pairs"].tolist() == [7]
    now.rows["seed"] += 7
    with pytest.raises(HessbenchError, match="no model and structure in common"):
        compare_runs([before], [now])
    other = amounts(values)
    other.rows["count"] = 2
    with pytest.raises(HessbenchError, match="tested on different data"):
        compare_runs([before], [other])


def changed(folder: Path, factor: float) -> None:
    """Make the force errors of E-F-H larger in a run, by a factor that differs between structures."""
    rows = read_table(folder / "results", ERRORS, part="efh-80")
    forces = rows["quantity"] == "force"
    noise = np.random.default_rng(3).normal(0, 0.01, forces.sum())
    rows.loc[forces, "squared"] *= (factor * np.exp(noise)) ** 2
    write_errors(folder / "results", rows, loss="efh", inputs=trained("efh", 80))
    for name in ("table-2", "table-3", "table-4"):
        write_rmse_table(name, "Title", results=Results(folder / "results"), tables=folder / "tables")


def test_two_percent_that_pinned_tolerances_hide_are_found(project, pinned, run, tmp_path):  # noqa: F811
    assert run("check")[0] == 0
    shutil.copytree(project, tmp_path / "before")
    assert run("check", "--against", "../before")[0] == 0
    changed(project, 1.02)
    status, out, _ = run("check")
    assert status == 0, "tolerances of the gate pass it"
    assert "27 of 27 values within tolerance" in out
    status, out, err = run("check", "--against", "../before")
    assert status == 1
    assert "3 values became worse than in ../before" in err
    worse = [line for line in out.splitlines() if line.rstrip().endswith(" worse")]
    assert len(worse) == 3
    assert all("E-F-H" in line and "force RMSE" in line for line in worse)
    assert all(1.5 < float(line.split("%")[0].split()[-1]) < 2.5 for line in worse)
    assert f"none of {len(read_published().claims)} flipped" in out


def test_a_verdict_that_flips_is_named(project, pinned, run, tmp_path):  # noqa: F811
    assert run("check")[0] == 0
    shutil.copytree(project, tmp_path / "before")
    path = tmp_path / "before/tables/verdicts.csv"
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    claim, word = frame.loc[0, ["claim", "verdict"]]
    frame.loc[0, "verdict"] = "undecided" if word != "undecided" else "reproduced"
    frame.to_csv(path, index=False)
    status, out, _ = run("check", "--against", str(tmp_path / "before/results"), "--format", "markdown")
    assert status == 0
    assert f"- {claim}: {frame.loc[0, 'verdict']} before, {word} now" in out


CACHE = Path(".dvc/cache/files/md5")


def cached(digest: str, content: bytes) -> str:
    """Put something into DVC's cache; gives its checksum, a made-up one."""
    path = CACHE / digest[:2] / digest[2:]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return digest


def cached_folder(number: int, files: dict[str, str]) -> str:
    """Put the listing of a folder into DVC's cache, of files and their checksums."""
    listing = [{"relpath": name, "md5": md5} for name, md5 in files.items()]
    return cached(f"{number:032x}.dir", json.dumps(listing).encode())


def errors_in_cache() -> dict[str, str]:
    """Put the errors tables of the run into DVC's cache: path to checksum."""
    paths = [ERRORS.path(Path("results"), part) for part in ("e-80", "ef-80", "efh-80")]
    return {path.as_posix(): cached(f"{number:032x}", path.read_bytes()) for number, path in enumerate(paths)}


def commit_lock(outs: dict[str, str]) -> None:
    """Commit a dvc.lock with these outs, one stage each."""
    stages = {f"s{n}": {"outs": [{"path": path, "md5": md5}]} for n, (path, md5) in enumerate(outs.items())}
    Path("dvc.lock").write_text(json.dumps({"schema": "2.0", "stages": stages}))
    Path(".dvc/config").write_text("[core]\n    analytics = false\n")
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@x"]
    for command in (["init", "-q"], ["add", "dvc.lock"], ["commit", "-qm", "x"]):
        subprocess.run([*git, *command], check=True)


@pytest.mark.parametrize("form", ["files", "folder", "folder and files that an older pipeline left"])
def test_a_revision_is_read_from_the_cache_of_dvc(project, pinned, run, form):  # noqa: F811
    outs = errors_in_cache()
    if form != "files":
        listed = {Path(path).name: md5 for path, md5 in outs.items()}
        left = {path: cached(f"{9:032x}", b"of an older run") for path in outs} if "left" in form else {}
        outs = {"results/errors": cached_folder(8, listed), **left}
    commit_lock(outs)
    assert run("check", "--against", "HEAD")[0] == 0
    changed(project, 1.02)
    status, out, _ = run("check", "--against", "HEAD")
    assert status == 1
    assert "not compared: HEAD has no tables/verdicts.csv" in out
    next(CACHE.glob("*/*1")).unlink()
    status, _, err = run("check", "--against", "HEAD")
    assert status == 2
    assert "results/errors/ef-80.parquet of HEAD is not in DVC's cache" in err
    status, _, err = run("check", "--against", "nothing")
    assert status == 2
    assert "nothing is neither a folder with results nor a git revision" in err


def test_a_revision_whose_listing_of_errors_is_gone_is_named(project, run):  # noqa: F811
    errors_in_cache()
    commit_lock({"results/errors": f"{8:032x}.dir"})
    status, _, err = run("check", "--against", "HEAD")
    assert status == 2
    assert "results/errors of HEAD is not in DVC's cache" in err


@pytest.mark.parametrize("form", ["a folder for each share", "one folder"])
def test_what_models_say_of_themselves_is_read_from_the_cache_too(project, tmp_path, form):  # noqa: F811
    said = cached(f"{20:032x}", b"{}")
    names = ("training.json", "history.csv")
    if form == "one folder":
        files = {f"{percent}/efh/{name}": said for percent in (20, 80) for name in names}
        outs = {"models": cached_folder(21, files)}
    else:
        outs = {
            f"models/{percent}": cached_folder(21 + percent, {f"efh/{name}": said for name in names})
            for percent in (20, 80)
        }
    commit_lock(errors_in_cache() | outs)
    found = find_run("HEAD", tmp_path / "scratch")
    expected = ["20/efh", "80/efh"]
    paths = sorted(path for path in found.models.rglob("*") if path.is_file())
    assert [path.relative_to(found.models).parent.as_posix() for path in paths] == expected
    assert {path.name for path in paths} == {"training.json"}


def test_other_data_cannot_be_compared(tmp_path, project, run):  # noqa: F811
    data = {name: f"other-{name} 1.0 none 0123456789ab" for name in ("rtp", "irc", "nms")}
    write_run(tmp_path / "other", PAPER, data=data, **SHARP)
    status, _, err = run("check", "--against", str(tmp_path / "other"))
    assert status == 2
    assert "was tested on other data" in err
    status, _, err = run("check", "--against", str(tmp_path))
    assert status == 2
    assert "holds no results of a run" in err


def test_errors_of_users_models_are_compared_too(tmp_path, project):  # noqa: F811
    rows = read_table(project / "results", ERRORS, part="ef-80").assign(loss="mine")
    write_errors(project / "results", rows[rows["seed"] == 0], loss="mine")
    found = of_errors(project / "results", 80)
    assert "mine" in set(found.rows["loss"])


def test_errors_of_a_users_model_on_other_data_are_named_with_their_remedy(tmp_path, project, run):  # noqa: F811
    shutil.copytree(project, tmp_path / "before")
    rows = read_table(project / "results", ERRORS, part="ef-80").assign(loss="mine")
    inputs = Inputs(dict.fromkeys(("rtp", "irc", "nms"), "other 1 none abc"))
    write_errors(project / "results" / BROUGHT, rows, loss="mine", inputs=inputs)
    status, _, err = run("check", "--against", "../before")
    assert status == 2
    assert "results/brought/errors/mine-80.parquet" in err
    assert "evaluate it again, or remove the file" in err
