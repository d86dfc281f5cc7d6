"""Results tables, packed: the same rows, provenance and seal, in fewer bytes."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hessbench.archive.tables import BITS, pack, round_binary
from hessbench.config.inputs import Inputs
from hessbench.errors import HessbenchError
from hessbench.results.store.provenance import Provenance
from hessbench.results.store.tables import (
    INTEGER,
    NUMBER,
    TEXT,
    Table,
    read_provenance,
    read_table,
    write_table,
)

TABLE = Table("errors", {"reaction": TEXT, "reason": TEXT, "count": INTEGER, "squared": NUMBER})


@pytest.fixture
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    rows = pd.DataFrame(
        {
            "reaction": [f"rxn{index // 9:06d}" for index in range(4000)],
            "reason": "",
            "count": np.arange(4000) % 7 + 1,
            "squared": np.exp(rng.normal(0, 5, 4000)),
        }
    )
    rows.loc[7, ["reason", "squared"]] = "it failed", None
    return rows


@pytest.mark.parametrize("rounded", [True, False])
def test_what_is_packed_reads_the_same(tmp_path: Path, frame: pd.DataFrame, rounded: bool) -> None:
    made = Provenance(Inputs({"rtp": "made-up"}), models=3)
    source = write_table(tmp_path / "results", TABLE, frame, made)
    target = tmp_path / "packed" / source.name
    pack(source, target, rounded=rounded)
    found = read_table(tmp_path / "packed", TABLE)
    error = (found["squared"] / frame["squared"] - 1).abs().max()
    assert 0 < error <= 2.0**-BITS if rounded else error == 0
    columns = ["reaction", "reason", "count"]
    pd.testing.assert_frame_equal(found[columns], frame[columns])
    assert found["squared"].isna().tolist() == frame["squared"].isna().tolist()
    assert read_provenance(target) == made
    assert target.stat().st_size < source.stat().st_size * (0.5 if rounded else 0.9)


def test_a_changed_bit_of_what_is_packed_is_noticed(tmp_path: Path, frame: pd.DataFrame) -> None:
    source = write_table(tmp_path / "results", TABLE, frame, Provenance(Inputs()))
    pack(source, source, rounded=True)
    content = bytearray(source.read_bytes())
    content[len(content) // 2] ^= 1
    source.write_bytes(content)
    with pytest.raises(HessbenchError, match=r"errors\.parquet"):
        read_table(tmp_path / "results", TABLE)


def test_binary_rounding_against_float32() -> None:
    values = np.random.default_rng(1).normal(0, 1e3, 1000)
    np.testing.assert_array_equal(round_binary(values, 24), values.astype(np.float32).astype(float))
    assert round_binary(np.array([0.0, np.nan]))[0] == 0
