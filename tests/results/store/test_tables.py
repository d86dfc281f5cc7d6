import itertools
import pickle
import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hessbench.config.inputs import Inputs
from hessbench.results.store.provenance import Provenance
from hessbench.results.store.tables import (
    FLAG,
    INTEGER,
    NUMBER,
    TEXT,
    ProvenanceError,
    ResultsError,
    Table,
    read_provenance,
    read_table,
    write_table,
)

MADE = Provenance(
    Inputs(
        {"rtp": "r 1 GFN2-xTB abc", "irc": "i 1 GFN2-xTB def"},
        {"split": "1"},
        {"stability": "2"},
        {"stability": "3"},
    ),
    level="GFN2-xTB",
    models=3,
    seconds=1.5,
    notes={"note": [1, 2]},
    profile="ci",
)
HEATED = Table(
    "heated",
    {
        "loss": TEXT, "seed": INTEGER, "molecule": TEXT, "status": TEXT, "reason": TEXT, "bond": TEXT,
        "temperature_k": NUMBER, "time_fs": NUMBER, "cap_k": NUMBER, "whole": FLAG,
    },
    nullable=frozenset({"bond"}),
    lowest={"cap_k": 0},
    key=("loss", "seed", "molecule"),
)  # fmt: skip
SURFACE = Table("surface", {"x": NUMBER, "y": NUMBER, "energy": NUMBER})


def heated() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "loss": ["E", "E-F-H", "E-F"],
            "seed": 0,
            "molecule": "aspirin",
            "status": ["optimization failed", "censored", "failed"],
            "reason": ["forces above 0.05", "", ""],
            "bond": [None, None, "C3-H9"],
            "temperature_k": [None, 600.0, 35.0],
            "time_fs": [None, 1000.0, 20.5],
            "cap_k": 600.0,
            "whole": [False, True, False],
        }
    )


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = write_table(tmp_path / "deep", HEATED, heated(), MADE)
    read = read_table(tmp_path / "deep", HEATED)
    assert list(read.columns) == list(HEATED.columns)
    assert read["temperature_k"].isna().tolist() == [True, False, False]
    assert read["time_fs"].tolist()[1:] == [1000.0, 20.5]
    made = read_provenance(path)
    assert made == MADE
    assert made.data == MADE.data  # in this order
    assert [entry.name for entry in path.parent.iterdir()] == ["heated.parquet"]


def test_a_table_of_several_parts_has_a_folder(tmp_path: Path) -> None:
    path = write_table(tmp_path, HEATED, heated(), MADE, "efh-80")
    assert path == tmp_path / "heated" / "efh-80.parquet"
    assert len(read_table(tmp_path, HEATED, part="efh-80")) == 3


def test_only_the_columns_asked_for_are_given(tmp_path: Path) -> None:
    write_table(tmp_path, HEATED, heated(), MADE)
    assert list(read_table(tmp_path, HEATED, ["time_fs", "molecule"]).columns) == ["time_fs", "molecule"]


@pytest.mark.parametrize("name", ["None", "NA", "null", "nan", "", "1e5"])
def test_names_are_text_whatever_they_look_like(tmp_path: Path, name: str) -> None:
    write_table(tmp_path, HEATED, heated().assign(molecule=name), MADE)
    assert read_table(tmp_path, HEATED)["molecule"].tolist() == [name] * 3


@pytest.mark.parametrize(
    ("change", "column"),
    [
        (lambda frame: frame.assign(reason=""), "temperature_k"),
        (lambda frame: frame.drop(columns="bond"), "bond"),
        (lambda frame: frame.rename(columns={"time_fs": "cap"}).assign(time_fs=None), "cap"),
        (lambda frame: frame.assign(cap_k=float("inf")), "cap_k"),
        (lambda frame: frame.assign(cap_k=float("nan"), reason=""), "temperature_k"),
        (lambda frame: frame.assign(cap_k=-1.0), "cap_k"),
        (lambda frame: frame.assign(seed=0.5), "seed"),
        (lambda frame: frame.assign(molecule=None), "molecule"),
        (lambda frame: frame.assign(cap_k="warm"), "cap_k"),
        (lambda frame: frame.assign(loss=1), "loss"),
        (lambda frame: frame.assign(whole=1.0), "whole"),
        (lambda frame: pd.concat([frame, frame]), None),
    ],
)
def test_broken_tables_are_neither_written_nor_read(tmp_path: Path, change, column: str | None) -> None:
    path = HEATED.path(tmp_path)
    broken = change(heated())
    with pytest.raises(ResultsError) as error:
        write_table(tmp_path, HEATED, broken, MADE)
    assert error.value.column == column
    assert not path.exists()
    broken.to_parquet(path)  # as another program would
    with pytest.raises(ResultsError, match=r"heated\.parquet"):
        read_table(tmp_path, HEATED)


def test_nan_that_is_no_null_is_refused_even_with_a_reason(tmp_path: Path) -> None:
    table = pa.Table.from_pandas(heated())
    column = pa.array([float("nan"), 1.0, 2.0])
    changed = table.set_column(table.schema.get_field_index("time_fs"), "time_fs", column)
    pq.write_table(changed, HEATED.path(tmp_path))
    with pytest.raises(ResultsError, match="time_fs: holds NaN"):
        read_table(tmp_path, HEATED)


@pytest.mark.parametrize("content", [b"", b"PAR1 but not really", None])
def test_what_is_no_table_is_named(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        SURFACE.path(tmp_path).write_bytes(content)
    with pytest.raises(ResultsError, match=r"surface\.parquet"):
        read_table(tmp_path, SURFACE)


@pytest.mark.parametrize("step", [4, pytest.param(1, marks=pytest.mark.slow)])
def test_no_flipped_bit_changes_what_is_read(tmp_path: Path, step: int) -> None:
    frame = pd.DataFrame({"x": range(50), "y": 0, "energy": 0.5}).astype(float)
    path = write_table(tmp_path, SURFACE, frame, MADE)
    good = path.read_bytes()
    assert pq.read_table(path).num_rows == 50  # by other programs, too
    refused, places = 0, range(0, len(good), step)
    for place, bit in zip(places, itertools.cycle(range(8)), strict=False):
        damaged = bytearray(good)
        damaged[place] ^= 1 << bit
        path.write_bytes(damaged)
        try:
            pd.testing.assert_frame_equal(read_table(tmp_path, SURFACE), frame)
            assert read_provenance(path) == MADE
        except ResultsError:
            refused += 1
    assert refused > 0.98 * len(places)  # all but the bits of the words that mark the checksum


@pytest.mark.skipif(sys.platform != "linux", reason="no trial elsewhere")
def test_what_unpacks_to_more_memory_than_allowed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hessbench.system.trial.BYTES", 200_000_000)
    path = SURFACE.path(tmp_path)
    rows = pa.table(dict.fromkeys(("x", "y", "energy"), pa.repeat(1.0, 1_000_000)))
    with pq.ParquetWriter(path, rows.schema) as writer:
        for _ in range(30):  # 720 MB
            writer.write_table(rows)
    assert path.stat().st_size < 1_000_000
    for read in (lambda: read_table(tmp_path, SURFACE), lambda: read_provenance(path)):
        with pytest.raises(ResultsError, match=r"more than 20\d MB of memory"):
            read()


def test_sizes_in_a_sealed_table_are_not_believed_before_its_checksum(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": range(50), "y": 0, "energy": 0.5}).astype(float)
    path = write_table(tmp_path, SURFACE, frame, MADE)
    content = path.read_bytes()
    length = len(content) - 8  # of the footer, which is asked for in one piece
    path.write_bytes(content[:length] + (2**31 - 1).to_bytes(4, "little") + content[-4:])
    with pytest.raises(ResultsError, match="is damaged"):
        read_table(tmp_path, SURFACE)


def test_a_table_without_rows_or_provenance_is_refused(tmp_path: Path) -> None:
    path = SURFACE.path(tmp_path)
    pd.DataFrame({"x": [0.0], "y": [0.0], "energy": [0.0]}).iloc[:0].to_parquet(path)
    with pytest.raises(ResultsError, match="no rows"):
        read_table(tmp_path, SURFACE)
    with pytest.raises(ProvenanceError, match="does not say what it was made from"):
        read_provenance(path)


def test_provenance_of_an_earlier_version_is_none(tmp_path: Path) -> None:
    table = pa.Table.from_pandas(pd.DataFrame({"x": [0.0]}))
    path = tmp_path / "surface.parquet"
    pq.write_table(table.replace_schema_metadata({"hessbench": '{"profile": "ci", "data": "some"}'}), path)
    with pytest.raises(ProvenanceError):
        read_provenance(path)


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
    folder = tmp_path_factory.mktemp("surface")
    frame = pd.DataFrame(rows, columns=["x", "y", "energy"])
    if frame.isna().any(axis=None) or frame.abs().eq(float("inf")).any(axis=None):
        with pytest.raises(ResultsError):
            write_table(folder, SURFACE, frame, MADE)
    else:
        write_table(folder, SURFACE, frame, MADE)
        pd.testing.assert_frame_equal(read_table(folder, SURFACE), frame)
