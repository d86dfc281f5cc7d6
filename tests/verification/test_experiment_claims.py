import numpy as np
import pandas as pd
import pytest

from hessbench.errors import HessbenchError
from hessbench.experiments.epoch_cost.run.tables import EPOCH_COST
from hessbench.experiments.neb.run.tables import SUMMARY
from hessbench.experiments.single_ts.run.tables import SINGLE_TS
from hessbench.experiments.spectra.run.tables import COST, SPECTRA
from hessbench.experiments.stability.run.tables import STABILITY
from hessbench.results.published import read_published
from hessbench.results.reader import Results
from hessbench.results.store.tables import FLAG, INTEGER, NUMBER, TEXT, write_table
from hessbench.verification.claims import STATISTICS
from hessbench.verification.verdicts import judge
from tests.made_up import provenance, write_made_up_run

PUBLISHED = read_published()
LABELS = {"e": "E", "ef": "E-F", "efh": "E-F-H"}
BLANK = {TEXT: "", INTEGER: 0, NUMBER: 0.0, FLAG: False}
"""For columns that a claim does not look at."""


@pytest.fixture
def verdict(tmp_path):
    """Write one results table and judge one claim by it."""
    write_made_up_run(tmp_path)

    def judged(claim, table, rows):
        frame = pd.DataFrame(rows)
        others = {column: BLANK[kind] for column, kind in table.columns.items() if column not in frame}
        write_table(tmp_path, table, frame.assign(**others), provenance())
        return judge(STATISTICS[claim](Results(tmp_path)))

    return judged


def single_ts(*, curved):
    """Models of the given losses follow the reference; the others go straight on, each its own way."""
    generator = np.random.default_rng(0)
    path = np.linspace(-1.5, 1.5, 61)
    reference = -20 * path**2
    rows = []
    for loss in ("reference", "E", "E-F", "E-F-H"):
        for model in range(1 if loss == "reference" else 60):
            slope = generator.normal(0, 30)
            energies = (
                reference + generator.normal(0, 0.01) if loss in ("reference", *curved) else slope * path
            )
            rows += [
                {
                    "loss": loss,
                    "model": model,
                    "structure": k,
                    "path_coordinate": path[k],
                    "energy": energies[k],
                }
                for k in range(len(path))
            ]
    return rows


def test_single_ts_curvature(verdict):
    assert verdict("single_ts_curvature", SINGLE_TS, single_ts(curved=["E-F-H"])).verdict == "reproduced"
    both = verdict("single_ts_curvature", SINGLE_TS, single_ts(curved=["E-F-H", "E-F"]))
    assert both.verdict == "not reproduced"
    assert "E-F puts" in both.decisive.label
    assert verdict("single_ts_curvature", SINGLE_TS, single_ts(curved=[])).verdict == "not reproduced"


def test_single_ts_uncertainty(verdict):
    assert verdict("single_ts_uncertainty", SINGLE_TS, single_ts(curved=["E-F-H"])).verdict == "reproduced"
    assert verdict("single_ts_uncertainty", SINGLE_TS, single_ts(curved=[])).verdict != "reproduced"


def stability(temperatures, *, seeds=3, cap=3000.0):
    rows = []
    for molecule, by_loss in temperatures.items():
        for loss, temperature in by_loss.items():
            for seed in range(seeds):
                reached = min(temperature + 5 * seed, cap)
                row = {
                    "loss": LABELS[loss],
                    "seed": seed,
                    "molecule": molecule,
                    "bond": "C1-H2",
                    "reason": "broke",
                }
                row |= {"status": "failed", "temperature_k": reached, "time_fs": 1000 * reached, "cap_k": cap}
                rows.append(row | ({"status": "censored", "bond": None} if reached == cap else {}))
    return rows


PAPER_TEMPERATURES = {
    molecule: {loss: getattr(failure, loss).temperature for loss in LABELS}
    for molecule, failure in PUBLISHED.stability.failure.items()
}


def test_md_stability_of_the_paper(verdict):
    found = verdict("md_stability_order", STABILITY, stability(PAPER_TEMPERATURES))
    assert found.verdict == "reproduced"
    assert found.decisive.estimate.value == found.decisive.published


def test_one_molecule_the_other_way_refutes_the_order(verdict):
    temperatures = PAPER_TEMPERATURES | {"toluene": {"e": 1600, "ef": 400, "efh": 900}}
    found = verdict("md_stability_order", STABILITY, stability(temperatures))
    assert found.verdict == "not reproduced"
    assert found.decisive.estimate.value == 9


def test_runs_at_the_cap_do_not_decide(verdict):
    found = verdict("md_stability_order", STABILITY, stability(PAPER_TEMPERATURES, cap=600.0))
    assert found.verdict == "undecided"


def test_one_run_a_molecule_does_not_decide(verdict):
    found = verdict("md_stability_order", STABILITY, stability(PAPER_TEMPERATURES, seeds=1))
    assert found.verdict == "undecided"
    assert "no interval" in found.reason


def neb(converging, error):
    generator = np.random.default_rng(1)
    rows = []
    for reaction in range(20):
        for loss in ("E", "E-F", "E-F-H"):
            fine = loss in converging
            rows.append(
                {
                    "reaction": f"rxn{reaction:06d}",
                    "kind": "held-out",
                    "loss": loss,
                    "seed": 0,
                    "status": "converged" if fine else "not converged",
                    "reason": "" if fine else "force 3 eV/A after 500 iterations",
                    "iterations": 100,
                    "max_force_ev_a": 0.04 if fine else 3.0,
                    "barrier": 60 + error * generator.uniform(0.5, 1) if fine else None,
                    "barrier_reference": 60.0,
                    "rmsd_ts": 0.1 if fine else None,
                }
            )
    return rows


@pytest.mark.parametrize(
    ("converging", "error", "expected"),
    [
        (["E-F-H"], 0.5, "reproduced"),
        (["E-F-H"], 8.0, "not reproduced"),
        (["E-F", "E-F-H"], 0.5, "not reproduced"),
        ([], 0.5, "not reproduced"),
    ],
)
def test_neb_convergence(verdict, converging, error, expected):
    assert verdict("neb_convergence", SUMMARY, neb(converging, error)).verdict == expected


def spectra(*, shift, noise):
    generator = np.random.default_rng(2)
    path = np.linspace(-2, 2, 41)
    rows = []
    for seed in range(3):
        for image, s in enumerate(path):
            for mode in range(10):
                depth = 2500 if mode == 0 else 100
                reference = 1000 + 200 * mode - depth * np.exp(-(s**2) / 0.2)
                found = (
                    1000 + 200 * mode - depth * np.exp(-((s - shift) ** 2) / 0.2) + generator.normal(0, noise)
                )
                rows.append(
                    {
                        "reaction": "rxn000001",
                        "loss": "E-F-H",
                        "seed": seed,
                        "image": image,
                        "path_coordinate": s,
                        "mode": mode,
                        "frequency_cm1": found,
                        "reference_frequency_cm1": None if mode == 9 else reference,
                        "overlap": None if mode == 9 else 0.9,
                    }
                )
    return rows


@pytest.mark.parametrize(
    ("shift", "noise", "expected"),
    [(0.0, 20, "reproduced"), (1.0, 20, "not reproduced"), (0.0, 1500, "not reproduced")],
)
def test_spectra_softening(verdict, shift, noise, expected):
    assert verdict("spectra_softening", SPECTRA, spectra(shift=shift, noise=noise)).verdict == expected


@pytest.mark.parametrize(
    ("reference", "expected"), [(18071.0, "undecided"), (60000.0, "reproduced"), (61.0, "not reproduced")]
)
def test_spectra_speedup(verdict, reference, expected):
    rows = [
        {"source": "reference", "images": 60, "cpu_s": reference},
        {"source": "E-F-H", "images": 60, "cpu_s": 0.478},
    ]
    found = verdict("spectra_speedup", COST, rows)
    assert found.verdict == expected
    assert found.decisive.published == pytest.approx(37805, rel=1e-4)


@pytest.mark.parametrize(
    ("factor", "expected"), [(25, "reproduced"), (4, "not reproduced"), (90, "not reproduced")]
)
def test_epoch_cost(verdict, factor, expected):
    rows = []
    for loss, seconds in (("E", 0.5), ("E-F", 1.0), ("E-F-H", factor)):
        for engine, quicker in (("autograd loop", 1), ("exact", 25)):
            for percent in (20, 80):
                for repeat in range(5):
                    measured = seconds * percent * (1 + 0.02 * repeat) / (quicker if loss == "E-F-H" else 1)
                    row = {"loss": loss, "engine": engine, "structures": percent, "percent": percent}
                    rows.append(row | {"repeat": repeat, "seconds": measured})
    found = verdict("epoch_cost", EPOCH_COST, rows)
    assert found.verdict == expected
    assert found.decisive.estimate.value == pytest.approx(factor)


def test_results_without_a_training_are_an_error(verdict):
    rows = [row for row in stability(PAPER_TEMPERATURES) if row["loss"] != "E-F"]
    with pytest.raises(HessbenchError, match=r"stability\.parquet: no rows of E-F"):
        verdict("md_stability_order", STABILITY, rows)
