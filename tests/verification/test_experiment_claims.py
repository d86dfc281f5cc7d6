from itertools import product

import numpy as np
import pytest

from hessbench.errors import HessbenchError
from hessbench.experiments.curvature.run.tables import CURVATURE
from hessbench.experiments.epoch_cost.run.tables import EPOCH_COST
from hessbench.experiments.neb.run.tables import SUMMARY
from hessbench.experiments.single_ts.run.tables import SINGLE_TS
from hessbench.experiments.spectra.run.tables import COST
from hessbench.experiments.stability.run.tables import STABILITY
from hessbench.results.published import read_published
from hessbench.results.reader import Results
from hessbench.verification.claims import STATISTICS
from hessbench.verification.verdicts import judge
from tests.experiments.synthetic import write_rows
from tests.made_up import write_made_up_run

PUBLISHED = read_published()
LABELS = {"e": "E", "ef": "E-F", "efh": "E-F-H"}


@pytest.fixture
def verdict(tmp_path):
    """Write one results table and judge one claim by it."""
    write_made_up_run(tmp_path)

    def judged(claim, table, rows):
        write_rows(tmp_path, table, rows)
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
    alone = verdict("single_ts_curvature", SINGLE_TS, single_ts(curved=["E-F-H"]))
    assert alone.word == "reproduced"
    assert any(
        "models of E-F-H that put most of them below: 60 of 60, 1 [0.94, 1]" in line for line in alone.details
    )
    both = verdict("single_ts_curvature", SINGLE_TS, single_ts(curved=["E-F-H", "E-F"]))
    assert both.word == "undecided"
    assert "less that of E-F" in both.decisive.label
    assert verdict("single_ts_curvature", SINGLE_TS, single_ts(curved=["E-F"])).word == "not reproduced"
    assert verdict("single_ts_curvature", SINGLE_TS, single_ts(curved=[])).word == "undecided"


def test_single_ts_uncertainty(verdict):
    found = verdict("single_ts_uncertainty", SINGLE_TS, single_ts(curved=["E-F-H"]))
    assert (found.word, found.testable) == ("reproduced", "limited")
    assert verdict("single_ts_uncertainty", SINGLE_TS, single_ts(curved=[])).word != "reproduced"


def stability(temperatures, *, seeds=3, cap=3000.0, rate=1.0):
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
                row |= {
                    "status": "failed",
                    "temperature_k": reached,
                    "time_fs": 1000 * reached / rate,
                    "cap_k": cap,
                    "rate_k_per_ps": rate,
                    "replica": 0,
                }
                rows.append(row | ({"status": "censored", "bond": None} if reached == cap else {}))
    return rows


PAPER_TEMPERATURES = {
    molecule: {loss: getattr(failure, loss).temperature for loss in LABELS}
    for molecule, failure in PUBLISHED.stability.failure.items()
}


def test_md_stability_of_the_paper(verdict):
    """Its own Table S1 gives its conclusions, the sign test of ten wins among ten and of nine among nine."""
    found = verdict("md_stability_order", STABILITY, stability(PAPER_TEMPERATURES))
    assert (found.word, found.testable) == ("reproduced", "limited")
    assert found.decisive.estimate.value == found.decisive.published == 1
    assert found.decisive.estimate.low == pytest.approx(0.025 ** (1 / 10))
    hot = verdict("md_stability_500k", STABILITY, stability(PAPER_TEMPERATURES))
    assert (hot.word, hot.decisive.estimate.value) == ("reproduced", 1)
    assert hot.decisive.estimate.low == pytest.approx(0.025 ** (1 / 9))
    assert "K/ps" not in hot.reason


def test_one_molecule_the_other_way_is_within_chance_of_nine_wins_but_not_three(verdict):
    other = {molecule: {"e": 1600, "ef": 400, "efh": 900} for molecule in ("toluene", "uracil", "benzene")}
    first = dict(list(other.items())[:1])
    nine = verdict("md_stability_order", STABILITY, stability(PAPER_TEMPERATURES | first))
    assert nine.word == "reproduced"
    assert nine.decisive.estimate.value == 0.9
    assert nine.size.word == "smaller"
    seven = verdict("md_stability_order", STABILITY, stability(PAPER_TEMPERATURES | other))
    assert (seven.word, seven.decisive.estimate.value) == ("undecided", 0.7)
    turned = {molecule: {"e": 1600, "ef": 400, "efh": 900} for molecule in PAPER_TEMPERATURES}
    assert verdict("md_stability_order", STABILITY, stability(turned)).word == "not reproduced"


def test_runs_at_the_cap_are_ties(verdict):
    """At 600 K E holds benzene and toluene, E-F benzene and naphthalene: who knows which is better?"""
    found = verdict("md_stability_order", STABILITY, stability(PAPER_TEMPERATURES, cap=600.0))
    assert "share of the 8 molecules not tied that E-F-H holds longer than E:" in found.details[0]
    assert "share of the 8 molecules not tied that E-F-H holds longer than E-F:" in found.details[1]
    low = {molecule: {"e": 900, "ef": 900, "efh": 900} for molecule in PAPER_TEMPERATURES}
    none = verdict("md_stability_order", STABILITY, stability(low, cap=600.0))
    assert (none.word, none.testable) == ("not testable", "no")
    assert "cap is too low" in none.reason


def test_fast_heating_limits_what_500_k_mean_and_a_low_cap_forbids_it(verdict):
    fast = verdict("md_stability_500k", STABILITY, stability(PAPER_TEMPERATURES, rate=200.0))
    assert (fast.word, fast.testable) == ("reproduced", "limited")
    assert "heated by 200 K/ps" in fast.reason
    assert (
        "heated"
        not in verdict("md_stability_500k", STABILITY, stability(PAPER_TEMPERATURES, rate=20.0)).reason
    )
    low = verdict("md_stability_500k", STABILITY, stability(PAPER_TEMPERATURES, cap=150.0))
    assert low.word == "not testable"


def test_molecules_are_won_by_pairs_of_runs(verdict):
    """A run at the cap beats those that failed, whatever the mean of its loss; others leave the pair open."""
    rows = stability(PAPER_TEMPERATURES, seeds=4, cap=600.0)
    for row in rows:
        if row["loss"] == "E-F-H" and row["seed"] == 0:  # one of four fails at once
            row |= {"temperature_k": 5.0, "status": "close contact"}
    found = verdict("md_stability_order", STABILITY, rows)
    assert found.decisive.estimate.value == pytest.approx(0.8)  # E holds benzene and toluene to the cap: lost
    assert "share of the 10 molecules not tied" in found.details[0]


def test_a_reference_that_fails_leaves_the_molecule_out(verdict):
    rows = stability(PAPER_TEMPERATURES)
    control = [
        row | {"loss": "reference", "seed": -1, "status": "censored", "temperature_k": 1000.0}
        for row in rows
        if (row["loss"], row["seed"]) == ("E", 0)
    ]
    whole = verdict("md_stability_500k", STABILITY, rows + control)
    assert "the reference, same start: 10 of 10 runs whole" in whole.details[-1]
    control[0] |= {"status": "failed", "temperature_k": 300.0}
    found = verdict("md_stability_500k", STABILITY, rows + control)
    assert f"the reference does not hold {control[0]['molecule']} either" in found.reason
    assert "share of 8 molecules" in found.details[0]


def test_one_model_of_each_loss_limits_the_test(verdict):
    found = verdict("md_stability_order", STABILITY, stability(PAPER_TEMPERATURES, seeds=1))
    assert "one model of each loss" in found.reason


def test_ef_about_as_stable_as_e(verdict):
    alike = {
        molecule: {"e": 400 + 20 * k, "ef": 410 + 19 * k, "efh": 900}
        for k, molecule in enumerate(PAPER_TEMPERATURES)
    }
    assert verdict("md_stability_ef_as_e", STABILITY, stability(alike)).word == "reproduced"
    better = {
        molecule: {"e": 100 + k, "ef": 400 + k, "efh": 900} for k, molecule in enumerate(PAPER_TEMPERATURES)
    }
    assert verdict("md_stability_ef_as_e", STABILITY, stability(better)).word == "not reproduced"
    paper = verdict("md_stability_ef_as_e", STABILITY, stability(PAPER_TEMPERATURES))
    assert paper.word == "undecided"  # ten molecules of its own table do not show that they are alike
    assert "by E: 8 of 10 not tied; in the paper 8 of 10" in paper.details[-1]


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
    ("converging", "expected"),
    [
        (["E-F-H"], "reproduced"),
        (["E-F", "E-F-H"], "undecided"),
        (["E", "E-F"], "not reproduced"),
        ([], "undecided"),
    ],
)
def test_neb_convergence(verdict, converging, expected):
    found = verdict("neb_convergence", SUMMARY, neb(converging, 0.5))
    assert found.word == expected
    if expected == "reproduced":
        assert found.testable == "limited"
        assert "converged with E: 0 of 20 reactions, 0 [0, 0.168]" in found.details[-1]


@pytest.mark.parametrize(("error", "expected"), [(0.5, "reproduced"), (8.0, "not reproduced")])
def test_neb_barrier(verdict, error, expected):
    assert verdict("neb_barrier", SUMMARY, neb(["E-F-H"], error)).word == expected


def test_bands_count_where_the_reference_converges_from_the_same_start(verdict):
    rows = neb(["E-F-H"], 0.5)
    control = [{**row, "loss": "reference"} for row in rows if row["loss"] == "E-F-H"]
    for row in control[:2]:
        row["status"] = "exploded"
    found = verdict("neb_convergence", SUMMARY, rows + control)
    assert found.word == "reproduced"
    assert any("converged with E-F-H: 18 of 18 reactions" in line for line in found.details)
    assert "the 18 of 20 held-out reactions whose band the reference converges" in str(found)


@pytest.mark.parametrize("claim", ["neb_convergence", "neb_barrier"])
def test_no_verdict_on_bands_that_the_reference_does_not_converge(verdict, claim):
    rows = neb(["E-F-H"], 0.5)
    control = [
        {**row, "loss": "reference", "status": "not converged"} for row in rows if row["loss"] == "E-F-H"
    ]
    found = verdict(claim, SUMMARY, rows + control)
    assert found.word == "not testable"
    assert "the 0 of 20 held-out reactions" in found.reason


def test_no_barrier_without_a_converged_band(verdict):
    found = verdict("neb_barrier", SUMMARY, neb([], 0.5))
    assert (found.word, found.reason) == ("not testable", "no band of E-F-H converged")


def spectra(noises, *, reactions=12, misses=None):
    """Frequencies of models that scatter by so much about the reference's on paths of nine structures.

    `misses` says, by loss, on how many of the paths the lowest frequency is lowest elsewhere.
    """
    generator = np.random.default_rng(2)
    rows = []
    for loss, noise in noises.items():
        for seed, reaction in product(range(3), range(reactions)):
            elsewhere = reaction < (misses or {}).get(loss, 0)
            for structure, s in enumerate(np.linspace(-2, 2, 9)):
                errors = np.abs(generator.normal(0, noise, 30))
                row = {"loss": loss, "seed": seed, "set": "irc", "reaction": f"rxn{reaction:06d}"}
                row |= {"structure": structure, "path_coordinate": s, "modes": 30, "modes_high": 30}
                row |= {"wavenumber_error_high": errors.sum(), "wavenumber_squared_high": (errors**2).sum()}
                row |= {"close": int((errors < 100).sum()), "lowest_wavenumber_reference": 100 * s**2}
                rows.append(row | {"lowest_wavenumber": 100 * (s - 1) ** 2 if elsewhere else 100 * s**2})
    return rows


@pytest.mark.parametrize(
    ("noises", "expected"),
    [
        ({"E-F-H": 20, "E-F": 60}, "reproduced"),
        ({"E-F-H": 60, "E-F": 20}, "not reproduced"),
        ({"E-F-H": 40, "E-F": 40}, "undecided"),
    ],
)
def test_spectra_frequencies(verdict, noises, expected):
    found = verdict("spectra_frequencies", CURVATURE, spectra(noises))
    assert (found.word, found.testable) == (expected, "yes")
    if expected == "reproduced":
        assert found.decisive.estimate.value == pytest.approx(3, rel=0.05)
        assert any("error above 2000 cm⁻¹: E-F-H 2" in line for line in found.details)
        assert any("within 100 cm⁻¹" in line and "E-F-H: 1 [" in line for line in found.details)


@pytest.mark.parametrize(
    ("missed", "expected"), [(0, "reproduced"), (6, "undecided"), (12, "not reproduced")]
)
def test_spectra_softening(verdict, missed, expected):
    rows = spectra({"E-F-H": 20, "E-F": 20}, misses={"E-F-H": missed, "E-F": 12})
    found = verdict("spectra_softening", CURVATURE, rows)
    assert found.word == expected
    assert "share of 12 paths" in found.details[0]
    assert "the same of E-F: 0 [" in found.details[1]
    assert "so near to the TS on 12 of 12, 1 [0.735, 1]" in found.details[-1]


def test_a_reference_that_fails_its_own_test_is_said_to(verdict):
    rows = spectra({"E-F-H": 20})
    for row in rows:
        if row["reaction"] == "rxn000003":
            row["lowest_wavenumber_reference"] = row["lowest_wavenumber"] = 100 * (row["path_coordinate"] - 1)
    found = verdict("spectra_softening", CURVATURE, rows)
    assert "so near to the TS on 11 of 12" in found.details[-1]


@pytest.mark.parametrize(
    ("seconds", "expected", "size"),
    [
        (0.478, "reproduced", "consistent"),
        (0.05, "reproduced", "larger"),
        (47.8, "direction only", "smaller"),
    ],
)
def test_spectra_speedup(verdict, seconds, expected, size):
    """The paper's time for 60 images beside DFT's gives its speed-up; GFN2-xTB's stands beside."""
    rows = [
        {"source": "reference", "images": 60, "cpu_s": 478.0},
        {"source": "E-F-H", "images": 60, "cpu_s": seconds},
    ]
    found = verdict("spectra_speedup", COST, rows)
    assert (found.word, found.size.word) == (expected, size)
    assert found.decisive.published == pytest.approx(37805, rel=1e-4)
    assert "this run's reference, none: " in found.details[-1]


@pytest.mark.parametrize(
    ("factor", "expected"),
    [(25, "reproduced"), (4, "direction only"), (90, "direction only"), (0.5, "not reproduced")],
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
    assert found.word == expected
    assert found.decisive.estimate.value == pytest.approx(factor)


def test_results_without_a_training_are_an_error(verdict):
    rows = [row for row in stability(PAPER_TEMPERATURES) if row["loss"] != "E-F"]
    with pytest.raises(HessbenchError, match=r"stability\.parquet: no rows of E-F"):
        verdict("md_stability_order", STABILITY, rows)
