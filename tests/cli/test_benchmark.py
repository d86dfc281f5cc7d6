"""`hessbench benchmark derivatives`."""

import json
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from hessbench.cli.benchmark import command
from hessbench.errors import HessbenchError

FAST = [
    "derivatives",
    "--atoms",
    "3,4",
    "--batch",
    "2",
    "--rounds",
    "3",
    "--way",
    "E-F autograd",
    "--way",
    "E-F-H torch",
]


def test_json_and_files(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        command, [*FAST, "--no-memory", "--json", "--output", str(tmp_path)], catch_exceptions=False
    )
    rows = json.loads(result.stdout)
    assert [(row["atoms"], row["way"]) for row in rows] == [
        (size, way) for size in (3, 4) for way in ("E-F autograd", "E-F-H torch")
    ]
    assert all(0 < row["low"] <= row["median"] <= row["high"] for row in rows)
    assert rows[0]["to_ef"] == pytest.approx(1)
    assert rows[0]["speedup"] is None  # the loop was not timed
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "derivatives.csv",
        "derivatives.json",
        "growth.png",
    ]
    assert len(pd.read_csv(tmp_path / "derivatives.csv")) == 4


@pytest.mark.slow
def test_table_with_memory() -> None:
    arguments = [*FAST, "--way", "E-F-H autograd loop"]
    arguments[2] = "6"
    output = CliRunner().invoke(command, arguments, catch_exceptions=False).stdout
    assert "6 atoms, batch 2" in output
    assert "memory, MiB" in output
    assert "loop /" in output


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--atoms", "3,x"], "--atoms 3,x"),
        (["--batch", "0"], "--batch 0"),
        (["--way", "E-F by hand"], "E-F by hand"),
    ],
)
def test_what_cannot_be_timed_is_named(arguments: list[str], problem: str) -> None:
    with pytest.raises(HessbenchError, match=problem):
        CliRunner().invoke(command, ["derivatives", "--no-memory", *arguments], catch_exceptions=False)
