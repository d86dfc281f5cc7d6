"""What predicts nothing: its errors are the sizes of the labels, and it stands in tables and figures."""

import numpy as np
import pandas as pd
import pytest

from hessbench.data.structures import load_structures
from hessbench.embedded import EMBEDDED
from hessbench.experiments.baselines.errors import zero_rmse
from hessbench.experiments.baselines.run.command import baseline_errors, rmse_lines
from hessbench.experiments.baselines.run.tables import BASELINES
from hessbench.experiments.errors.tables import write_rmse_table
from hessbench.results.reader import Results
from hessbench.results.store.tables import write_table
from tests.made_up import provenance
from tests.synthetic_errors import PAPER, write_run


@pytest.fixture(scope="module")
def structures():
    return load_structures(EMBEDDED / "rtp.h5").select(np.arange(60))


def test_errors_are_the_sizes_of_the_labels(structures):
    table = baseline_errors(structures.select(np.arange(40)), {"rtp": structures.select(np.arange(40, 60))})
    sums = table.groupby("quantity")[["squared", "absolute", "count"]].sum()
    tested = structures.select(np.arange(40, 60))
    for quantity, labels in (("force", tested.forces), ("hessian", tested.hessians)):
        assert sums.loc[quantity, "squared"] == pytest.approx(np.square(labels, dtype=float).sum())
        assert sums.loc[quantity, "absolute"] == pytest.approx(np.abs(labels).sum(dtype=float))
        assert sums.loc[quantity, "count"] == labels.size


def test_energies_are_those_of_the_composition(structures):
    """Against least squares of its own; energies that composition alone makes have no error."""
    molecules = np.split(structures.numbers, structures.atom_offsets[1:-1])
    molecules = np.split(structures.numbers, structures.atom_offsets[1:-1])
    counts = np.array([[np.sum(molecule == z) for z in (1, 6, 7, 8)] for molecule in molecules])
    fitted = counts @ np.linalg.pinv(counts[:40]) @ structures.energies[:40]
    table = baseline_errors(structures.select(np.arange(40)), {"rtp": structures})
    found = table.loc[table["quantity"] == "energy", "absolute"].to_numpy()
    assert found == pytest.approx(np.abs(fitted - structures.energies), abs=1e-4)


def test_what_is_printed_has_units():
    rmse = {("rtp", "energy"): 2.0, ("rtp", "force"): 3.0, ("rtp", "hessian"): 4.0}
    assert list(rmse_lines(rows(rmse))) == [
        "rtp energy: RMSE 2 kcal/mol",
        "rtp force: RMSE 3 kcal/mol/Angstrom",
        "rtp hessian: RMSE 4 kcal/mol/Angstrom^2",
    ]


def rows(rmse):
    frame = pd.DataFrame([{"set": s, "quantity": q, "squared": 9 * v**2} for (s, q), v in rmse.items()])
    return frame.assign(reaction="rxn000000", structure=0, absolute=9.0, count=9)


@pytest.fixture
def run(tmp_path):
    """The paper's errors; nothing is better than E in forces, and worse than all in the rest."""
    folder = write_run(tmp_path, PAPER, reactions=10)
    zero = {(s, q): 900.0 for s in ("rtp", "irc", "nms") for q in ("energy", "force", "hessian")}
    write_table(folder, BASELINES, rows(zero | {("rtp", "force"): 20.0}), provenance())
    return folder


def test_tables_have_it_and_mark_what_is_worse(run, tmp_path):
    assert zero_rmse(Results(run))["rtp", "force"] == pytest.approx(20.0)
    csv, markdown, tex = write_rmse_table("table-2", "Errors", results=Results(run), tables=tmp_path)
    frame = pd.read_csv(csv).set_index(["loss", "quantity"])
    assert frame.loc[("E", "force"), "zero_rmse"] == 20
    lines = markdown.read_text().splitlines()
    marked = [line for line in lines if "†" in line and line.startswith("|")]
    assert len(marked) == 1
    assert marked[0].startswith("| E ")
    assert "force" in marked[0]
    assert [line.split("|")[3].strip() for line in lines if line.startswith("| nothing")] == [
        "900.00",
        "20.00",
        "900.00",
    ]
    assert "worse than that" in markdown.read_text()
    assert r"$^\dagger$" in tex.read_text()
    assert "$$" not in tex.read_text()


def test_tables_without_it_say_so(tmp_path):
    folder = write_run(tmp_path, PAPER, reactions=10)
    _, markdown, _ = write_rmse_table("table-2", "Errors", results=Results(folder), tables=tmp_path)
    assert "was not scored (`hessbench baselines`)" in markdown.read_text()
    assert "| nothing" not in markdown.read_text()
    assert "†" not in markdown.read_text()
