import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from hessbench.experiments.ts_search.run.tables import SEARCHES
from hessbench.results import reproduce
from hessbench.results.reader import Results
from hessbench.results.store.tables import read_provenance, read_table, write_table
from hessbench.verification.making import make_tables, stale_tables


@pytest.mark.parametrize("name", reproduce.available("table"))
def test_tables_are_written_thrice_and_equal(name: str, synthetic: Path, tmp_path: Path) -> None:
    module = reproduce.load("table", name)
    first = module.make(Results(synthetic / "results"), tmp_path / "a")
    second = module.make(Results(synthetic / "results"), tmp_path / "b")
    assert [path.suffix for path in first] == [".csv", ".md", ".tex"]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    latex = first[2].read_text()
    assert r"\toprule" in latex
    assert "⁻" not in latex


def test_table_1_counts_elements(synthetic: Path, tmp_path: Path) -> None:
    csv, *_ = reproduce.load("table", "1").make(Results(synthetic / "results"), tmp_path)
    frame = pd.read_csv(csv).set_index("property")
    counts = pd.read_parquet(synthetic / "results/composition.parquet")
    atoms = counts[counts["kind"] == "element"].groupby("structure")["count"].sum()
    assert frame.loc["atomic forces", "elements"] == 3 * atoms.sum()
    assert frame.loc["Hessian matrix", "elements"] == sum((3 * n) ** 2 for n in atoms)
    assert (frame["difference"] <= 0).all()


def test_table_s1_stands_beside_the_paper(synthetic: Path, tmp_path: Path) -> None:
    csv, markdown, _ = reproduce.load("table", "s1").make(Results(synthetic / "results"), tmp_path)
    frame = pd.read_csv(csv).set_index(["molecule", "loss"])
    runs = pd.read_parquet(synthetic / "results/stability.parquet")
    assert len(frame) == 30 + 10 + 1  # losses, the reference, another rate
    at_rate = frame[frame["rate_k_per_ps"] == 200]
    assert at_rate.index.tolist() == [("ethanol", "E-F-H")]
    frame = frame[frame["rate_k_per_ps"] != 200]
    assert frame["close_contacts"].sum() == 1
    assert frame.loc[("aspirin", "reference"), "temperature_k"] == 700
    aspirin = runs[(runs["molecule"] == "aspirin") & (runs["loss"] == "E-F-H")]
    row = frame.loc[("aspirin", "E-F-H")]
    assert row["temperature_k"] == pytest.approx(aspirin["temperature_k"].mean(), rel=1e-5)
    assert row["published_temperature_k"] == 1015
    assert row["difference_k"] == pytest.approx(row["temperature_k"] - 1015, abs=0.01)
    assert frame["optimization_failed"].sum() == (runs["status"] == "optimization failed").sum()
    assert "≥" in markdown.read_text()


def test_table_curvature_counts_modes_and_structures(synthetic: Path, tmp_path: Path) -> None:
    csv, *_ = reproduce.load("table", "curvature").make(Results(synthetic / "results"), tmp_path)
    frame = pd.read_csv(csv, keep_default_na=False).set_index(["set", "loss", "metric"])
    rows = pd.read_parquet(synthetic / "results/curvature.parquet")
    here = rows[(rows["set"] == "irc") & (rows["loss"] == "E-F")]
    expected = here.groupby("seed")[["wavenumber_error_imaginary", "modes_imaginary"]].sum()
    ratio = (expected["wavenumber_error_imaginary"] / expected["modes_imaginary"]).mean()
    assert frame.loc[("irc", "E-F", "wavenumber_mae_imaginary"), "value"] == pytest.approx(ratio, rel=1e-5)
    assert frame.loc[("irc", "E-F", "saddles_recognized"), "value"] == 1
    assert frame.loc[("irc", "E-F", "minima_recognized"), "value"] == 0
    assert frame.loc[("irc", "E-F-H", "imaginary_right"), "value"] == 1
    assert frame.loc[("irc", "E-F", "imaginary_right"), "value"] == pytest.approx(0.25)


def test_table_ensemble_compares_error_and_spread(synthetic: Path, tmp_path: Path) -> None:
    csv, *_ = reproduce.load("table", "ensemble").make(Results(synthetic / "results"), tmp_path)
    frame = pd.read_csv(csv, keep_default_na=False)
    assert len(frame) == 27
    assert (frame["error_over_spread"] - 2).abs().max() < 1e-5
    assert (frame["rank_correlation"] - 1).abs().max() < 1e-5
    assert frame["rmse_of_mean"].iloc[0] == pytest.approx((4 * 78 / 108) ** 0.5, rel=1e-5)


def test_table_bands_counts_failures_and_accurate_barriers(synthetic: Path, tmp_path: Path) -> None:
    csv, text, _ = reproduce.load("table", "bands").make(Results(synthetic / "results"), tmp_path)
    frame = pd.read_csv(csv, keep_default_na=False).set_index(["spring_ev_a2", "loss"])
    assert frame.index.tolist() == [
        (spring, loss) for spring in (5, 50) for loss in ("reference", "E", "E-F", "E-F-H")
    ]
    bands = pd.read_parquet(synthetic / "results/neb_summary.parquet")
    bands = bands[(bands["kind"] == "held-out") & (bands["loss"] == "E-F-H")]
    good = bands[bands["status"] == "converged"]
    errors = (good["barrier"] - good["barrier_reference"]).abs()
    row = frame.loc[5, "E-F-H"]
    assert (row["bands"], row["converged"], row["accurate"]) == (60, len(good), (errors <= 1).sum())
    assert float(row["error"]) == pytest.approx(errors.mean(), rel=1e-5)
    assert frame.loc[(5, "E"), ["converged", "failures", "error"]].tolist() == [0, "60 exploded", ""]
    assert frame.loc[(50, "E"), "bands"] == 20
    assert f"{len(good)} of 60" in text.read_text()


def test_table_weights_compares_the_losses_at_equal_weights(synthetic: Path, tmp_path: Path) -> None:
    csv, text, _ = reproduce.load("table", "weights").make(Results(synthetic / "results"), tmp_path)
    frame = pd.read_csv(csv, keep_default_na=False)
    assert frame["whose_weights"].tolist() == ["paper", "", "profile"] * 9
    models = pd.read_parquet(synthetic / "results/weights.parquet")
    here = (models["set"] == "nms") & (models["quantity"] == "energy") & (models["force_weight"] == 0.08)
    base, better = (models[here & (models["loss"] == loss)]["rmse"].mean() for loss in ("E-F", "E-F-H"))
    row = frame[(frame["set"] == "nms") & (frame["quantity"] == "energy")].iloc[0]
    assert (row["force_weight"], row["hessian_weight"]) == (0.08, 0.02)
    assert row["rmse_ef"] == pytest.approx(base, rel=1e-5)
    assert row["rmse_efh"] == pytest.approx(better, rel=1e-5)
    assert row["gain"] == pytest.approx(1 - better / base, abs=1e-5)
    assert f"| {base:.2f} ± " in text.read_text()


def test_tables_need_no_locale(synthetic: Path, tmp_path: Path) -> None:
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    command = [sys.executable, "-m", "hessbench", "table", "1", "s1"]
    options = ["--results", str(synthetic / "results"), "--tables", str(tmp_path / "ascii")]
    subprocess.run([*command, *options], env=os.environ | ascii_only, check=True)
    for name in ("1", "s1"):
        results = Results(synthetic / "results")
        for path in reproduce.load("table", name).make(results, tmp_path / "utf-8"):
            assert (tmp_path / "ascii" / path.name).read_bytes() == path.read_bytes()


def test_tables_that_are_not_what_the_results_give_are_told(synthetic: Path, tmp_path: Path) -> None:
    results = Results(synthetic / "results")
    for name in ("s1", "cost"):
        reproduce.load("table", name).make(results, tmp_path)
    assert stale_tables(results, tmp_path) == []
    path = tmp_path / "table-cost.csv"
    frame = pd.read_csv(path)
    frame["rmse_energy"] *= 3
    frame.to_csv(path, index=False)
    (problem,) = stale_tables(results, tmp_path)
    assert "table-cost.csv is not what" in problem
    assert "`hessbench table cost`" in problem


def test_table_ts_search_counts_what_was_found(synthetic: Path, tmp_path: Path) -> None:
    csv, markdown, _ = reproduce.load("table", "ts_search").make(Results(synthetic / "results"), tmp_path)
    frame = pd.read_csv(csv).set_index(["loss", "hessian"])
    assert frame["found"].to_dict() == {
        ("E", "exact"): 1, ("E", "none"): 0, ("E-F", "exact"): 4, ("E-F", "none"): 3,
        ("E-F-H", "exact"): 8, ("E-F-H", "none"): 7, ("reference", "exact"): 9, ("reference", "none"): 8,
    }  # fmt: skip
    exact = frame.loc[("E-F-H", "exact")]
    assert exact["steps"] == pytest.approx(13.5)  # median of 10 ... 17
    assert exact["ci_low"] == pytest.approx(0.444, abs=1e-3)  # Clopper and Pearson, 8 of 10
    assert frame["hessian_calls"].xs("none", level="hessian").fillna(0).eq(0).all()
    assert "8 of 10" in markdown.read_text()


def test_a_run_without_searches_has_no_table_ts_search(synthetic: Path, tmp_path: Path) -> None:
    shutil.copytree(synthetic / "results", tmp_path / "results")
    path = SEARCHES.path(tmp_path / "results")
    rows = read_table(tmp_path / "results", SEARCHES)
    write_table(tmp_path / "results", SEARCHES, rows.head(0), read_provenance(path))
    results = Results(tmp_path / "results")
    assert list(make_tables(results, tmp_path / "tables", ["ts_search"])) == []
    assert not (tmp_path / "tables").exists()
    assert stale_tables(results, tmp_path / "tables") == []
