import pickle
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hessbench.results.store.tables import (
    TABLES,
    Identity,
    ResultsError,
    contract,
    read_errors,
    read_identity,
    read_table,
    write_table,
)

IDENTITY = Identity("ci", "rtp: r 1 GFN2-xTB abc", "GFN2-xTB", models=3, seconds=1.5, extra={"note": [1, 2]})


def stability() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "training": ["E", "E-F-H", "E-F"],
            "seed": 0,
            "molecule": "aspirin",
            "status": ["optimization failed", "censored", "failed"],
            "reason": ["forces above 0.05", "", ""],
            "bond": [None, None, "C3-H9"],
            "temperature_k": [None, 600.0, 35.0],
            "time_fs": [None, 1000.0, 20.5],
            "cap_k": 600.0,
        }
    )


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "stability.parquet"
    write_table(path, stability(), IDENTITY)
    read = read_table(path)
    assert list(read.columns) == list(TABLES["stability"])
    assert read["temperature_k"].isna().tolist() == [True, False, False]
    assert read["time_fs"].tolist()[1:] == [1000.0, 20.5]
    assert read_identity(path) == IDENTITY
    assert [entry.name for entry in path.parent.iterdir()] == ["stability.parquet"]


def test_only_the_columns_asked_for_are_given(tmp_path: Path) -> None:
    path = tmp_path / "stability.parquet"
    write_table(path, stability(), IDENTITY)
    assert list(read_table(path, ["time_fs", "molecule"]).columns) == ["time_fs", "molecule"]


@pytest.mark.parametrize(
    ("change", "column"),
    [
        (lambda frame: frame.assign(reason=""), "temperature_k"),
        (lambda frame: frame.drop(columns="bond"), "bond"),
        (lambda frame: frame.rename(columns={"time_fs": "time"}), "time_fs"),
        (lambda frame: frame.assign(cap_k=float("inf")), "cap_k"),
        (lambda frame: frame.assign(cap_k=float("nan"), reason=""), "temperature_k"),
        (lambda frame: frame.assign(seed=0.5), "seed"),
        (lambda frame: frame.assign(molecule=None), "molecule"),
        (lambda frame: frame.assign(cap_k="warm"), "cap_k"),
        (lambda frame: frame.assign(training=1), "training"),
    ],
)
def test_broken_tables_are_neither_written_nor_read(tmp_path: Path, change, column: str) -> None:
    path = tmp_path / "stability.parquet"
    broken = change(stability())
    with pytest.raises(ResultsError) as error:
        write_table(path, broken, IDENTITY)
    assert error.value.column == column
    assert not path.exists()
    broken.to_parquet(path)  # as another program would
    with pytest.raises(ResultsError, match=f"stability.parquet, column {column}"):
        read_table(path)


def test_nan_that_is_no_null_is_refused_even_with_a_reason(tmp_path: Path) -> None:
    path = tmp_path / "stability.parquet"
    table = pa.Table.from_pandas(stability())
    column = pa.array([float("nan"), 1.0, 2.0])
    pq.write_table(table.set_column(table.schema.get_field_index("time_fs"), "time_fs", column), path)
    with pytest.raises(ResultsError, match="time_fs: holds NaN"):
        read_table(path)


@pytest.mark.parametrize("content", [b"", b"PAR1 but not really", None])
def test_what_is_no_table_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "surface.parquet"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ResultsError, match=r"surface\.parquet"):
        read_table(path)


def test_a_table_without_rows_or_identity_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "surface.parquet"
    pd.DataFrame({"x": [0.0], "y": [0.0], "energy": [0.0]}).iloc[:0].to_parquet(path)
    with pytest.raises(ResultsError, match="no rows"):
        read_table(path)
    with pytest.raises(ResultsError, match="identity"):
        read_identity(path)


def test_errors_tables_share_one_contract(tmp_path: Path) -> None:
    path = tmp_path / "errors" / "efh-80.parquet"
    assert contract(path) == "errors"
    row = dict.fromkeys(TABLES["errors"], 1) | {
        "training": "E-F-H",
        "set": "rtp",
        "reaction": "rxn1",
        "quantity": "energy",
        "squared": 1.0,
        "absolute": 1.0,
    }
    write_table(path, pd.DataFrame([row]), IDENTITY)
    assert read_errors(path)["squared"].tolist() == [1.0]
    write_table(path, pd.DataFrame([row, row]), IDENTITY)
    with pytest.raises(ResultsError, match="stands twice"):
        read_errors(path)
    write_table(path, pd.DataFrame([row | {"squared": -1.0}]), IDENTITY)
    with pytest.raises(ResultsError, match="column squared"):
        read_errors(path)


def test_errors_travel_between_processes() -> None:
    error = pickle.loads(pickle.dumps(ResultsError("a.parquet", "broken.", "x")))
    assert (str(error), error.column) == ("a.parquet, column x: broken.", "x")


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(*3 * [st.floats(allow_nan=True, allow_infinity=True, width=64)]), min_size=1, max_size=8
    )
)
def test_every_finite_table_survives_and_no_other(
    tmp_path_factory: pytest.TempPathFactory, rows: list
) -> None:
    path = tmp_path_factory.mktemp("surface") / "surface.parquet"
    frame = pd.DataFrame(rows, columns=["x", "y", "energy"])
    if frame.isna().any(axis=None) or frame.abs().eq(float("inf")).any(axis=None):
        with pytest.raises(ResultsError):
            write_table(path, frame, IDENTITY)
    else:
        write_table(path, frame, IDENTITY)
        pd.testing.assert_frame_equal(read_table(path), frame)
