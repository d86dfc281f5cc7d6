import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from hessbench.errors import HessbenchError
from hessbench.experiments.errors.ensembles import ensembles, errors_of, main_percent
from hessbench.experiments.errors.statistics import rmse
from hessbench.experiments.errors.tables import (
    COLUMNS,
    read_tables,
    tables_of_other_results,
    write_ensembles_table,
    write_rmse_table,
)
from hessbench.results.reader import MissingResultsError, Results
from hessbench.results.store.tables import CHECKSUM_KEY
from tests.made_up import DATA, write_made_up_run
from tests.synthetic_errors import PAPER, errors_table, write_errors, write_run

NAMES = {"table-2": "rtp", "table-3": "irc", "table-4": "nms"}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("run"))


@pytest.fixture
def own(results, tmp_path):
    """A copy of the results that a test may change."""
    return shutil.copytree(results, tmp_path / "results")


def write_all(results, tables):
    return [
        path
        for name in NAMES
        for path in write_rmse_table(name, f"Title of {name}", results=Results(results), tables=tables)
    ]


def test_columns_and_values(results, tmp_path):
    write_all(results, tmp_path)
    for name, test_set in NAMES.items():
        frame = pd.read_csv(tmp_path / f"{name}.csv")
        assert tuple(frame.columns) == (*COLUMNS, "data")
        assert frame["data"].unique().tolist() == [DATA[test_set]]
        assert frame["loss"].tolist() == ["E"] * 3 + ["E-F"] * 3 + ["E-F-H"] * 3
        assert frame["quantity"].tolist() == ["energy", "force", "hessian"] * 3
        assert (frame["structures"] == 120).all()
        assert (frame["reactions"] == 40).all()
        assert (frame["models"] == 3).all()
        for row, loss in zip(frame.itertuples(), ["e"] * 3 + ["ef"] * 3 + ["efh"] * 3, strict=True):
            values = rmse(errors_of(Results(results), loss, 80, test_set, row.quantity))
            assert row.rmse == pytest.approx(values.mean(), rel=1e-5)
            assert row.spread == pytest.approx(values.std(ddof=1), rel=1e-5)
            assert row.ci_low < row.rmse < row.ci_high
            assert row.published == PAPER[test_set, loss, row.quantity]
    assert frame["unit"].tolist() == ["kcal/mol", "kcal/mol/Angstrom", "kcal/mol/Angstrom^2"] * 3


def test_equal_results_give_equal_bytes(results, tmp_path):
    first = {path.name: path.read_bytes() for path in write_all(results, tmp_path / "a")}
    again = {path.name: path.read_bytes() for path in write_all(results, tmp_path / "b")}
    assert first == again
    assert set(first) == {f"{name}.{suffix}" for name in NAMES for suffix in ("csv", "md", "tex")}


def test_markdown_and_latex_show_ours_published_and_identity(results, tmp_path):
    write_all(results, tmp_path)
    markdown, latex = (tmp_path / f"table-3.{suffix}" for suffix in ("md", "tex"))
    frame = pd.read_csv(tmp_path / "table-3.csv")
    for text in (markdown.read_text(), latex.read_text()):
        assert "made-up-irc 1.0 none 0123456789ab" in text
        assert "Profile ci" in text
        for value in frame["rmse"]:
            assert f"{value:.2f}" in text
    assert "7.30 ± 0.10" in markdown.read_text()
    assert r"7.30 $\pm$ 0.10" in latex.read_text()
    for rule in (r"\toprule", r"\midrule", r"\bottomrule"):
        assert rule in latex.read_text()


def test_a_single_model_has_no_spread(tmp_path):
    results = write_run(tmp_path, seeds=1)
    csv, markdown, _ = write_rmse_table("table-2", "Title", results=Results(results), tables=tmp_path)
    assert pd.read_csv(csv)["spread"].isna().all()
    assert "nan" not in markdown.read_text().lower()


def test_other_trainings_stand_apart(own, tmp_path):
    rows = errors_table({("irc", "energy"): 1.0, ("irc", "force"): 2.0}, loss="efhvp")
    write_errors(own, rows, loss="efhvp")
    mine = errors_table({("irc", "energy"): 4.0}, loss="my-model", percent=0)
    write_errors(own, mine, loss="my-model", percent=0)
    write_all(own, tmp_path)
    assert set(pd.read_csv(tmp_path / "table-3.csv")["loss"]) == {"E", "E-F", "E-F-H"}
    csv, _ = write_ensembles_table(results=Results(own), tables=tmp_path)
    frame = pd.read_csv(csv)
    assert list(dict.fromkeys(frame["loss"])) == ["E", "E-F", "E-F-H", "E-F-HVP", "my-model"]
    row = frame[(frame["loss"] == "my-model")].iloc[0]
    assert (row["set"], row["quantity"], row["mae"]) == ("irc", "energy", pytest.approx(4.0, rel=0.1))
    assert row["mae"] <= row["rmse"]


def test_percents_losses_and_data_that_left_the_profile_leave_the_results(own, tmp_path):
    for loss, percent in (("e", 90), ("mine", 90), ("e", 20), ("efhvp", 80)):
        rows = errors_table({("irc", "energy"): 1.0}, loss=loss, percent=percent)
        write_errors(own, rows, loss=loss, percent=percent)
    found = Results(own)
    trained = {("e", 20), ("e", 80), ("ef", 80), ("efh", 80), ("efhvp", 80)}
    assert set(ensembles(found)) == trained | {("mine", 90)}  # a user's model stands beside any percent
    assert main_percent(found) == 80
    with pytest.raises(MissingResultsError, match=r"settings \(split\.training_percents\.90, which left the"):
        errors_of(found, "e", 90, "irc", "energy")
    write_made_up_run(own, losses=("e", "ef", "efh"))
    assert set(ensembles(Results(own))) == trained - {("efhvp", 80)} | {("mine", 90)}
    write_made_up_run(own, percents=(80,))
    assert set(ensembles(Results(own))) == trained - {("e", 20)} | {("mine", 90)}
    write_made_up_run(own, data=DATA | {"irc": "another 1.0 none 0123456789ab"})
    assert ensembles(Results(own)) == {}
    with pytest.raises(MissingResultsError, match=r"was made from other data .irc: made-up-irc 1.0"):
        main_percent(Results(own))


def test_a_renamed_profile_keeps_its_results(own, tmp_path):
    write_made_up_run(own, "renamed")
    _, markdown, _ = write_rmse_table("table-2", "Title", results=Results(own), tables=tmp_path)
    assert "Profile renamed." in markdown.read_text()


def test_models_with_names_that_look_like_something_else_survive(own, tmp_path):
    names = ["None", "NA", "null", "nan", "1e5", "007", "true", '"quoted", a']
    for name in names:
        rows = errors_table({(s, "energy"): 4.0 for s in NAMES.values()}, loss=name)
        write_errors(own, rows, loss=name)
    write_all(own, tmp_path)
    _, markdown = write_ensembles_table(results=Results(own), tables=tmp_path)
    found = read_tables(tmp_path)
    assert sorted(found.loc[found["table"] == "ensembles-irc", "loss"]) == sorted(names)
    text = markdown.read_text()
    assert all(f"| {name} " in text for name in names)
    assert tables_of_other_results(Results(own), tmp_path) == []


def test_tables_of_other_results_are_told(own, tmp_path):
    write_all(own, tmp_path)
    write_ensembles_table(results=Results(own), tables=tmp_path)
    assert tables_of_other_results(Results(own), tmp_path) == []
    path = tmp_path / "table-3.csv"
    path.write_text(path.read_text().replace("E-F-H,energy,kcal/mol,6", "E-F-H,energy,kcal/mol,2"))
    (problem,) = tables_of_other_results(Results(own), tmp_path)
    assert "table-3.csv is not what" in problem
    assert "`hessbench table 3`" in problem
    write_made_up_run(own, losses=("e", "ef"))
    problems = tables_of_other_results(Results(own), tmp_path)
    assert [f"table-{k}.csv cannot be of these results" in problems[k - 2] for k in (2, 3, 4)] == [True] * 3
    assert "ensembles.csv is not what" in problems[3]


def test_tables_beside_results_of_other_data_are_told(own, tmp_path):
    write_all(own, tmp_path)
    write_ensembles_table(results=Results(own), tables=tmp_path)
    write_made_up_run(own, data={key: f"{value}-other" for key, value in DATA.items()})
    problems = tables_of_other_results(Results(own), tmp_path)
    assert len(problems) == 4
    assert all("cannot be of these results" in problem for problem in problems)


def break_missing_file(path):
    path.unlink()


def break_column(path):
    frame = pd.read_parquet(path).rename(columns={"squared": "square"})
    rewrite(path, frame)


def break_number(path):
    frame = pd.read_parquet(path)
    frame.loc[3, "absolute"] = np.nan
    rewrite(path, frame)


def break_set(path):
    frame = pd.read_parquet(path)
    rewrite(path, frame[frame["set"] != "irc"])


def rewrite(path, frame):
    """Write what `write_table` would refuse, with the provenance that the file had."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    metadata = {key: value for key, value in pq.read_schema(path).metadata.items() if key != CHECKSUM_KEY}
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(metadata), path)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (break_missing_file, ["ef-80.parquet"]),
        (break_column, ["ef-80.parquet", "squared"]),
        (break_number, ["ef-80.parquet", "absolute"]),
        (break_set, ["ef-80.parquet", "irc", "energy"]),
    ],
)
def test_broken_results_name_file_and_column_and_write_nothing(own, tmp_path, damage, words):
    damage(own / "errors" / "ef-80.parquet")
    with pytest.raises(HessbenchError) as caught:
        write_rmse_table("table-3", "Title", results=Results(own), tables=tmp_path / "tables")
    for word in words:
        assert word in str(caught.value)
    assert not (tmp_path / "tables").exists()


def test_reading_tables_back_names_what_is_wrong(results, tmp_path):
    write_all(results, tmp_path)
    assert len(read_tables(tmp_path)) == 27
    path = tmp_path / "table-3.csv"
    good = path.read_text()
    path.write_text(good.replace("rmse", "rms", 1))
    with pytest.raises(HessbenchError, match=r"table-3.csv: column rmse is missing"):
        read_tables(tmp_path)
    lines = good.splitlines()
    cells = lines[4].split(",")
    cells[3] = "nan"
    path.write_text("\n".join([*lines[:4], ",".join(cells), *lines[5:]]))
    with pytest.raises(HessbenchError, match=r"table-3.csv, column rmse: not a number in row 4"):
        read_tables(tmp_path)
    path.unlink()
    with pytest.raises(HessbenchError, match="hessbench table 3"):
        read_tables(tmp_path)


def test_no_torch(results, tmp_path):
    code = (
        "import sys; from hessbench.cli import main\n"
        "tables = ['2', '3', '4', 'ensembles', 'verdicts']\n"
        f"folders = ['--results', {str(results)!r}, '--tables', {str(tmp_path)!r}]\n"
        "try: main(['table', *tables, *folders])\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert (tmp_path / "table-2.csv").exists()
    assert (tmp_path / "verdicts.csv").exists()
