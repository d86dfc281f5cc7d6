"""Speed of a calculator whose times, memory and failures are known."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from hessbench.benchmarks.calculator import CC, CH, COLUMNS, alkane, readable
from hessbench.cli.benchmark import command
from hessbench.errors import HessbenchError
from tests.calculators.test_check import SPRINGS


@pytest.mark.parametrize("carbons", [1, 2, 5])
def test_alkanes_have_the_bonds_of_alkanes(carbons):
    numbers, coordinates = alkane(carbons)
    assert np.bincount(numbers)[[1, 6]].tolist() == [2 * carbons + 2, carbons]
    distances = np.linalg.norm(coordinates[:, None] - coordinates[None], axis=-1)
    np.fill_diagonal(distances, np.inf)
    bonded = distances < 1.6
    assert (bonded.sum(axis=1) == np.where(numbers == 6, 4, 1)).all()
    carbon = numbers == 6
    assert distances[:, carbon][carbon][bonded[:, carbon][carbon]] == pytest.approx(CC)
    assert distances[:, ~carbon][carbon][bonded[:, ~carbon][carbon]] == pytest.approx(CH)
    assert distances[~bonded].min() > 1.7  # nothing else is near


def test_what_failed_is_a_gap_with_its_reason_in_the_table_for_people():
    good = {"molecule": "CH4", "atoms": 5, "rounds": 3, "low": 1.0, "high": 1.0, "reason": ""}
    rows = [
        good | {"quantity": "energy", "seconds": 0.5, "memory_mib": 0.0},
        good | {"quantity": "forces", "seconds": 2.0, "memory_mib": 1.0},
        good | {"quantity": "Hessian", "seconds": 60.0, "memory_mib": 8.0},
        {"molecule": "C2H6", "atoms": 8, "quantity": "energy", "rounds": 3, "seconds": 1.0, "memory_mib": 1.0}
        | {"low": 1.0, "high": 1.0, "reason": ""},
        {"molecule": "C2H6", "atoms": 8, "quantity": "forces", "rounds": 3, "reason": "too large"},
        {"molecule": "C2H6", "atoms": 8, "quantity": "Hessian", "rounds": 3, "reason": "not tried"},
    ]
    shown, notes = readable(pd.DataFrame(rows, columns=list(COLUMNS)))
    assert shown["Hessian / forces"].tolist() == ["30", "–"]
    assert shown["Forces, s"].tolist() == ["2", "–"]
    assert notes == ["C2H6, forces: too large", "C2H6, Hessian: not tried"]


KNOWN = """
import os, signal, time

class Mine(Springs):
    def calculate(self, *arguments, **named):
        super().calculate(*arguments, **named)
        atoms = len(self.atoms)
        time.sleep(0.004)
        if atoms == 8:
            np.ones(2**23)  # 64 MiB
        if atoms == 11:
            raise ValueError("no propane")
        if atoms == 14:
            os.kill(os.getpid(), signal.SIGKILL)

print("what a calculator says is no part of the table")
calculator = Mine()
"""


@pytest.mark.slow
def test_times_memory_and_failures_of_a_known_calculator(tmp_path: Path):
    path = tmp_path / "known.py"
    path.write_text(SPRINGS + KNOWN)
    arguments = ["calculator", str(path), "--carbons", "1,2,3,4,5", "--output", str(tmp_path)]
    printed = CliRunner().invoke(command, arguments, catch_exceptions=False).stdout
    table = pd.read_csv(tmp_path / "speed-known.csv", keep_default_na=False)
    assert tuple(table.columns) == COLUMNS
    assert table["quantity"].tolist() == ["energy", "forces", "Hessian"] * 5
    of = table.set_index(["molecule", "quantity"])
    for quantity, calls in (("energy", 1), ("forces", 1), ("Hessian", 2 * 15)):  # central differences
        assert float(of.loc[("CH4", quantity), "seconds"]) > 0.004 * calls
        assert float(of.loc[("CH4", quantity), "memory_mib"]) < 60
        assert float(of.loc[("C2H6", quantity), "memory_mib"]) > 60
        assert "ValueError: no propane" in of.loc[("C3H8", quantity), "reason"]
        assert of.loc[("C4H10", quantity), "reason"] == "the process ended (SIGKILL)"
        assert of.loc[("C5H12", quantity), "reason"] == "not tried: the process ended before"
        assert (of.loc[[("C3H8", quantity), ("C4H10", quantity)], ["seconds", "memory_mib"]] == "").all(
            axis=None
        )
    assert printed == (tmp_path / "speed-known.md").read_text() + "\n"
    assert "differences of its forces" in printed


@pytest.mark.slow
def test_a_calculator_that_cannot_be_loaded_is_one_sentence(tmp_path: Path):
    with pytest.raises(HessbenchError, match=r"nothing\.py: no such Python file"):
        CliRunner().invoke(command, ["calculator", str(tmp_path / "nothing.py")], catch_exceptions=False)
    path = tmp_path / "ends.py"
    path.write_text("import os; os._exit(3)")
    with pytest.raises(HessbenchError, match=r"its process ended \(status 3\) while it was loaded"):
        CliRunner().invoke(command, ["calculator", str(path)], catch_exceptions=False)
