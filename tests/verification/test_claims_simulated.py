"""Every claim on made-up results, many times: an effect as claimed is found, one that is not there is not."""

from collections import Counter
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hessbench.config.loss_labels import LABELS
from hessbench.experiments.curvature.run.tables import CURVATURE
from hessbench.experiments.epoch_cost.run.tables import EPOCH_COST
from hessbench.experiments.errors.run.tables import ERRORS
from hessbench.experiments.neb.run.tables import SUMMARY
from hessbench.experiments.single_ts.run.tables import SINGLE_TS
from hessbench.experiments.stability.run.tables import STABILITY
from hessbench.results.published import read_published
from hessbench.results.reader import Results
from hessbench.results.store.tables import FLAG, INTEGER, NUMBER, TEXT, Table, write_table
from hessbench.verification.claims import STATISTICS
from hessbench.verification.verdicts import OPPOSITE, REPRODUCED, judge
from tests.made_up import provenance, trained, write_made_up_run
from tests.synthetic_errors import ELEMENTS, PAPER

RUNS = 100
FOUND = 0.95
"""Share of runs in which an effect of the published kind is found, at least."""
CHANCE = 0.025
"""Of runs without an effect so many say one direction at most, for each finding."""
SURE = 4.0
"""Standard errors of a share of `RUNS` that count as its noise."""
LOSSES = ("E", "E-F", "E-F-H")
BLANK = {TEXT: "", INTEGER: 0, NUMBER: 0.0, FLAG: False}
NOT_RANDOM = {"spectra_speedup"}
"""One measured time, whose interval is stated."""

Generator = np.random.Generator
Maker = Callable[[Generator, bool], list[dict]]


def dynamics(generator: Generator, effect: bool) -> list[dict]:
    """Ten molecules, three models: E-F-H holds them to 900 K and the others to 300, or all to 500."""
    rows = []
    for loss, molecule, seed in product(LOSSES, range(10), range(3)):
        middle = (900 if loss == "E-F-H" else 300) if effect else 500
        kelvin = middle * np.exp(generator.normal(0, 0.2))
        rows.append(
            {"loss": loss, "molecule": f"m{molecule}", "seed": seed, "status": "failed", "bond": "C1-H2"}
            | {"temperature_k": kelvin, "rate_k_per_ps": 1.0, "cap_k": 3000.0}
        )
    return rows


def alike(generator: Generator, effect: bool) -> list[dict]:
    """E-F as stable as E, or less so by the factor that is the line."""
    failures = read_published().stability.failure.values()
    line = sum(row.ef.temperature for row in failures) / sum(row.e.temperature for row in failures)
    rows = dynamics(generator, False)
    for row in rows:
        if row["loss"] == "E-F" and not effect:
            row["temperature_k"] *= line
    return rows


def bands(generator: Generator, effect: bool) -> list[dict]:
    """Twenty reactions: bands of E-F-H converge and the others' do not, or all do as often as not.

    Barriers are off by 0.4 kcal/mol on average, or by the 1 that is the line.
    """
    rows = []
    for loss, reaction in product(LOSSES, range(20)):
        often = (0.95 if loss == "E-F-H" else 0.1) if effect else 0.5
        fine = generator.random() < often
        error = (0.4 if effect else 1.0) * abs(generator.normal()) * np.sqrt(np.pi / 2)
        rows.append(
            {"loss": loss, "reaction": f"r{reaction}", "kind": "held-out", "seed": 0}
            | {"status": "converged" if fine else "not converged", "reason": "" if fine else "force"}
            | {"barrier": 60 + error if fine else None, "barrier_reference": 60.0}
            | {"rmsd_ts": 0.1 if fine else None}
        )
    return rows


def epochs(generator: Generator, effect: bool) -> list[dict]:
    """Five repeats with 3 % of noise: E-F-H takes 25 times as long as E-F, or as long."""
    rows = []
    for loss, percent, repeat in product(LOSSES, (20, 80), range(5)):
        seconds = percent * (25 if effect and loss == "E-F-H" else 1) * generator.normal(1, 0.03)
        rows.append(
            {"loss": loss, "engine": "autograd loop", "percent": percent, "structures": percent}
            | {"repeat": repeat, "seconds": seconds}
        )
    return rows


def path_energies(generator: Generator, effect: bool) -> list[dict]:
    """Forty models: E and E-F straight, E-F-H along the reference; or all bent either way, with noise."""
    s = np.linspace(-1.5, 1.5, 61)
    rows = []
    for loss in ("reference", *LOSSES):
        for model in range(1 if loss == "reference" else 40):
            energies = -20 * s**2
            if loss != "reference" and not effect:
                energies = generator.normal(0, 20) * s**2 + generator.normal(0, 5, len(s))
            elif loss != "reference":
                straight = generator.normal(0, 30) * s
                energies = straight if loss != "E-F-H" else energies + generator.normal(0, 0.5, len(s))
            rows += [
                {"loss": loss, "model": model, "structure": k, "path_coordinate": s[k], "energy": energies[k]}
                for k in range(len(s))
            ]
    return rows


def vibrations(generator: Generator, effect: bool) -> list[dict]:
    """Twenty paths, three models: frequencies of E-F three times as far off as E-F-H's, or as far.

    The lowest one of E-F-H has its minimum where the reference's is on most paths, or on half of them.
    """
    rows = []
    for reaction in range(20):
        near = generator.random() < (0.95 if effect else 0.5)
        hard = np.exp(generator.normal(0, 0.3))
        for loss, seed in product(("E-F", "E-F-H"), range(3)):
            scale = 20 * hard * np.exp(generator.normal(0, 0.05)) * (3 if effect and loss == "E-F" else 1)
            for structure, s in enumerate(np.linspace(-2, 2, 5)):
                errors = np.abs(generator.normal(0, scale, 30))
                rows.append(
                    {"loss": loss, "seed": seed, "set": "irc", "reaction": f"r{reaction}", "modes": 30}
                    | {"structure": structure, "path_coordinate": s, "modes_high": 30, "close": 30}
                    | {"wavenumber_error_high": errors.sum(), "wavenumber_squared_high": (errors**2).sum()}
                    | {"lowest_wavenumber_reference": 100 * s**2}
                    | {"lowest_wavenumber": 100 * (s if near else s - 2) ** 2}
                )
    return rows


CASES: dict[str, tuple[Table, Maker]] = {
    "md_stability_order": (STABILITY, dynamics),
    "md_stability_500k": (STABILITY, dynamics),
    "md_stability_ef_as_e": (STABILITY, alike),
    "neb_convergence": (SUMMARY, bands),
    "neb_barrier": (SUMMARY, bands),
    "epoch_cost": (EPOCH_COST, epochs),
    "single_ts_curvature": (SINGLE_TS, path_energies),
    "single_ts_uncertainty": (SINGLE_TS, path_energies),
    "spectra_softening": (CURVATURE, vibrations),
    "spectra_frequencies": (CURVATURE, vibrations),
}
OF_ERRORS = {
    claim for claim in STATISTICS if claim.split("_")[0] in ("rtp", "irc", "nms") or "efficiency" in claim
}


def write_errors(folder: Path, generator: Generator, effect: bool) -> None:
    """Errors of the paper, or those of E for all, of four models on ten reactions, some harder than others.

    They fall with the amount of data, E-F's and E's along a line that comes to those of E-F-H with 40 times,
    on IRC with twice, as much.
    """
    hard = np.exp(generator.normal(0, 0.3, 10))
    for loss, percent in product(("e", "ef", "efh"), (2, 20, 80)):
        rows = []
        for (test_set, name, quantity), rmse in PAPER.items():
            if name != loss:
                continue
            target = rmse if effect else PAPER[test_set, "e", quantity]
            if effect and percent < 80 and quantity == "energy":
                factor = {"nms": 40.0, "irc": 2.0}.get(test_set, 1.0) if loss == "efh" else 1.0
                target = PAPER[test_set, "ef", quantity] * (percent * factor / 80) ** -0.3
            elif percent < 80:
                target *= (percent / 80) ** -0.3
            for seed in range(4):
                errors = target * hard * generator.normal(1, 0.005) * np.exp(generator.normal(0, 0.01, 10))
                count = ELEMENTS[quantity]
                rows.append(
                    pd.DataFrame(
                        {"loss": LABELS[loss], "percent": percent, "seed": seed, "set": test_set}
                        | {"reaction": [f"r{k}" for k in range(10)], "structure": 0, "quantity": quantity}
                        | {"squared": count * errors**2, "absolute": count * errors, "count": count}
                    )
                )
        made = provenance(trained(loss, percent))
        write_table(folder, ERRORS, pd.concat(rows), made, f"{loss}-{percent}")


def directions(folder: Path, claims: set[str], write: Callable[[Generator], None]) -> dict[str, Counter]:
    """How often the direction of each claim came out as what, of `RUNS`; and how many findings it has."""
    found: dict[str, Counter] = {claim: Counter() for claim in claims}
    generator = np.random.default_rng(20250307)
    write_made_up_run(folder)
    for _ in range(RUNS):
        write(generator)
        results = Results(folder)
        for claim in claims:
            evidence = STATISTICS[claim](results)
            found[claim][judge(evidence).direction] += 1
            found[claim]["findings"] = max(found[claim]["findings"], len(evidence.findings))
    return found


def check(found: dict[str, Counter], *, effect: bool) -> None:
    """Hold shares of runs against what the rule of the verdicts states."""
    for claim, counts in found.items():
        if effect:
            assert counts[REPRODUCED] >= FOUND * RUNS, (claim, counts)
            continue
        for direction, chance in ((REPRODUCED, CHANCE), (OPPOSITE, CHANCE * counts["findings"])):
            noise = SURE * np.sqrt(chance * (1 - chance) / RUNS)
            assert counts[direction] / RUNS <= chance + noise, (claim, counts)


@pytest.mark.slow
@pytest.mark.parametrize("effect", [True, False], ids=["effect", "none"])
@pytest.mark.parametrize("maker", dict.fromkeys(maker for _, maker in CASES.values()))
def test_claims_about_experiments(tmp_path: Path, maker: Maker, effect: bool) -> None:
    claims = {claim: table for claim, (table, own) in CASES.items() if own is maker}
    (table,) = {id(table): table for table in claims.values()}.values()

    def write(generator: Generator) -> None:
        frame = pd.DataFrame(maker(generator, effect))
        others = {column: BLANK[kind] for column, kind in table.columns.items() if column not in frame}
        write_table(tmp_path, table, frame.assign(**others), provenance())

    check(directions(tmp_path, set(claims), write), effect=effect)


@pytest.mark.slow
@pytest.mark.parametrize("effect", [True, False], ids=["effect", "none"])
def test_claims_about_errors(tmp_path: Path, effect: bool) -> None:
    def write(generator: Generator) -> None:
        write_errors(tmp_path, generator, effect)

    check(directions(tmp_path, OF_ERRORS, write), effect=effect)


def test_every_claim_is_simulated() -> None:
    assert CASES.keys() | OF_ERRORS | NOT_RANDOM == STATISTICS.keys()
