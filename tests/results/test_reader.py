"""What belongs to a run is read, what an earlier run left is not."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pandas as pd
import pytest

from hessbench.config.inputs import Inputs
from hessbench.errors import HessbenchError
from hessbench.results.reader import MissingResultsError, Results
from hessbench.results.store.tables import BROUGHT, NUMBER, TEXT, ResultsError, Table, write_table
from tests.made_up import DATA, provenance, trained, write_made_up_run

PATH = Table("path", {"name": TEXT, "energy": NUMBER})
ROWS = pd.DataFrame({"name": ["a", "b"], "energy": [0.0, 1.0]})
MADE_FROM = Inputs({"rtp": DATA["rtp"]}, settings={"path": "1"}, code={"train": "0"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_made_up_run(tmp_path, settings={"path": "1"})
    return tmp_path


def test_results_made_from_the_same_are_read_whatever_the_profile_was_called(folder: Path) -> None:
    write_table(folder, PATH, ROWS, provenance(MADE_FROM, profile="another name"))
    results = Results(folder)
    assert results.table(PATH, ["energy"])["energy"].tolist() == [0.0, 1.0]
    assert list(results.read) == [folder / "path.parquet"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"data": {"rtp": "other 1"}}, "made from other data (rtp: other 1, here "),
        ({"files": {"split": "2"}}, "made from other data (split, which left the profile)"),
        ({"settings": {"path": "2"}}, "made from other settings (path)"),
        ({"code": {"train": "2"}}, "made from other code (train)"),
    ],
)
def test_what_an_earlier_run_left_is_missing(folder: Path, change: dict, words: str) -> None:
    write_table(folder, PATH, ROWS, provenance(replace(MADE_FROM, **change)))
    with pytest.raises(MissingResultsError) as caught:
        Results(folder).table(PATH)
    assert f"{folder / 'path.parquet'} was {words}" in str(caught.value)
    assert "than this run; `dvc repro` makes it anew." in str(caught.value)


def test_what_is_not_there_or_says_nothing_of_its_making_is_missing(folder: Path) -> None:
    with pytest.raises(MissingResultsError, match=r"path\.parquet does not exist: profile ci has no such"):
        Results(folder).table(PATH)
    ROWS.to_parquet(folder / "path.parquet")
    with pytest.raises(MissingResultsError, match="does not say what it was made from"):
        Results(folder).table(PATH)


def test_a_damaged_table_is_not_taken_for_a_missing_one(folder: Path) -> None:
    (folder / "path.parquet").write_bytes(b"PAR1")
    with pytest.raises(ResultsError, match=r"path\.parquet"):
        Results(folder).table(PATH)


def test_parts_of_other_runs_are_left_out(folder: Path) -> None:
    write_table(folder, PATH, ROWS, provenance(MADE_FROM), "b")
    write_table(folder, PATH, ROWS, provenance(), "a")
    write_table(folder, PATH, ROWS, provenance(Inputs(settings={"path": "2"})), "c")
    assert Results(folder).parts(PATH) == ["a", "b"]


def test_parts_of_users_models_are_read_as_those_of_the_run(folder: Path) -> None:
    write_table(folder, PATH, ROWS, provenance(MADE_FROM), "b")
    write_table(folder / BROUGHT, PATH, ROWS, provenance(), "a")
    write_table(folder / BROUGHT, PATH, ROWS.iloc[:1], provenance(), "b")
    results = Results(folder)
    assert results.parts(PATH) == ["a", "b"]
    assert results.path(PATH, "a") == folder / "brought/path/a.parquet"
    assert len(results.table(PATH, part="a")) == len(results.table(PATH, part="b")) == len(ROWS)
    with pytest.raises(MissingResultsError, match=r"path.c\.parquet does not exist"):
        results.table(PATH, part="c")


def test_rows_with_a_value_or_the_column_that_has_it_not(folder: Path) -> None:
    results = Results(folder)
    assert len(results.rows(PATH, ROWS, name="a")) == 1
    with pytest.raises(ResultsError, match=r"path\.parquet, column name: no rows with 'c'"):
        results.rows(PATH, ROWS, name="c")


def test_the_footer_names_the_run_and_what_else_was_read(folder: Path) -> None:
    write_made_up_run(folder, data=DATA | {"single-ts": "path 2"})
    write_table(folder, PATH, ROWS, provenance(Inputs({"single-ts": "path 2"})))
    results = Results(folder)
    assert results.footer == results.run.footer
    results.table(PATH)
    sets = "; ".join(f"{name}: {item}" for name, item in DATA.items())
    assert results.footer == f"Profile ci. Data: {sets}; path 2."


def train(models: Path, loss: str, percent: int, **changes: dict) -> Path:
    folder = models / str(percent) / loss
    folder.mkdir(parents=True)
    inputs = replace(trained(loss, percent, {"rtp": DATA["rtp"]}), **changes)
    (folder / "training.json").write_text(json.dumps({"inputs": asdict(inputs)}))
    return folder


def test_ensembles_that_left_the_profile_are_none_of_the_run(tmp_path: Path) -> None:
    results, models = tmp_path / "results", tmp_path / "models"
    write_made_up_run(results, losses=("e", "mine"), percents=(20, 80))
    kept = {("e", 20): train(models, "e", 20), ("mine", 80): train(models, "mine", 80)}
    train(models, "ef", 80)
    train(models, "e", 40)
    train(models, "e", 80, data={"rtp": "other 1"})
    train(models, "mine", 20, code={"train": "9"})
    before = models / "80" / "efh"
    before.mkdir()
    (before / "training.json").write_text("{}")
    assert Results(results).ensembles() == kept
    (before / "training.json").write_text('{"inputs"')
    with pytest.raises(HessbenchError, match=r"80/efh/training\.json: cannot be read"):
        Results(results).ensembles()


def test_without_a_run_there_are_no_results(tmp_path: Path) -> None:
    with pytest.raises(HessbenchError, match=r"run\.json: does not exist"):
        Results(tmp_path)
