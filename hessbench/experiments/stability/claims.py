"""Statistics of the claims about molecular dynamics.

How claims are judged is explained in `hessbench.verification.claims`.
"""

import numpy as np
import pandas as pd

from hessbench.config.loss_labels import REFERENCE
from hessbench.config.paper import STABLE_K
from hessbench.experiments.stability.run.tables import STABILITY, mean_label
from hessbench.results.evidence import Evidence, Finding, require
from hessbench.results.reader import Results
from hessbench.results.statistics import Array, estimate_from_means, proportion

AZOBENZENE = "azobenzene"
"""The one molecule that section 3.5 excepts from the 500 K."""
HALF = 0.5
"""Share of wins without a difference; above it are most."""
SLOW_K_PER_PS = 20.0
"""Heating up to which a temperature at failure says something of that temperature; the paper's is 1 K/ps."""
LOWEST_K = 1.0
"""Means below count as this one when they are divided by."""
LOSSES = ("E", "E-F", "E-F-H")


def md_stability_order(results: Results) -> Evidence:
    """Share of molecules that E-F-H holds together to a higher temperature than E, and than E-F (sign test).

    Of each molecule every run of the one loss is compared with every run of the other. A pair is decided when
    the run that ended lower failed there; one that reached the cap leaves it open. The molecule is won by the
    loss that lasts longer in more of the decided pairs (E. A. Gehan, Biometrika 52, 203 (1965), for censored
    data); as many both ways is a tie, which a sign test leaves out.
    """
    table = _read(results)
    findings, limits = [], _limits_of_runs(table)
    failures = results.published.stability.failure
    for loss, key in (("E", "e"), ("E-F", "ef")):
        wins, losses = molecules_won(table, "E-F-H", loss)
        if not wins + losses:
            return Evidence([], (f"every molecule is a tie of E-F-H and {loss}: the cap is too low",))
        published = np.mean(
            [row.efh.temperature > getattr(row, key).temperature for row in failures.values()]
        )
        findings.append(
            Finding(
                label=f"share of the {wins + losses} molecules not tied that E-F-H holds longer than {loss}",
                estimate=proportion(wins, wins + losses),
                line=HALF,
                published=float(published),
            )
        )
    means = [
        f"molecules held longer by {mean_label(loss)} than by {mean_label(other)}: {wins} of "
        f"{wins + losses} not tied"
        for loss, other in (("E-F-H", "E"), ("E-F-H", "E-F"))
        if {mean_label(loss), mean_label(other)} <= set(table["loss"])
        for wins, losses in [molecules_won(table, mean_label(loss), mean_label(other))]
    ]
    return Evidence(findings, limits, (*means, *_control(table)))


def md_stability_500k(results: Results) -> Evidence:
    """Share of molecules that E-F-H holds together up to 500 K, azobenzene left out; most are more than half.

    A molecule is held if more than half of its runs are whole at 500 K; those that a low cap leaves open are
    left out, and so are those that the reference itself does not hold in its own run.
    """
    table = _read(results)
    runs = table[(table["loss"] == "E-F-H") & (table["molecule"] != AZOBENZENE)]
    reference = table[table["loss"] == REFERENCE]
    broken = sorted(set(reference["molecule"][fallen(reference, STABLE_K)]) - {AZOBENZENE})
    runs = runs[~runs["molecule"].isin(broken)]
    whole = (runs["temperature_k"] >= STABLE_K).groupby(runs["molecule"]).mean()
    lost = fallen(runs, STABLE_K).groupby(runs["molecule"]).mean()
    standing = int((whole > HALF).sum())
    decided = standing + int((lost >= HALF).sum())
    if not decided:
        return Evidence([], (f"the cap lies below {STABLE_K:g} K, or the reference fails its own test",))
    rate = float(runs["rate_k_per_ps"].max())
    limits = _limits_of_runs(table)
    if broken:
        limits = (f"the reference does not hold {', '.join(broken)} either: left out", *limits)
    if rate > SLOW_K_PER_PS:
        limits = (
            f"heated by {rate:.3g} K/ps, the paper by 1: little time to break at any temperature",
            *limits,
        )
    failures = results.published.stability.failure
    published = [row.efh.temperature >= STABLE_K for name, row in failures.items() if name != AZOBENZENE]
    share = Finding(
        label=f"share of {decided} molecules but azobenzene whole up to {STABLE_K:g} K with E-F-H",
        estimate=proportion(standing, decided),
        line=HALF,
        published=float(np.mean(published)),
    )
    return Evidence([share], limits, _control(table))


def md_stability_ef_as_e(results: Results) -> Evidence:
    """Ratio of the mean temperatures at failure of E-F and E; molecules are resampled.

    All runs are censored at one temperature, the cap, so that below it the Kaplan-Meier estimate is the share
    of runs that have not failed; the area under it, the mean survival temperature restricted to the cap, is
    the mean in which runs that reached the cap count with its temperature.

    Similar is what the paper calls so: in its Table S1 the two means differ by a factor of two.
    """
    table = _read(results)
    failures = results.published.stability.failure.values()
    published = sum(row.ef.temperature for row in failures) / sum(row.e.temperature for row in failures)
    margin = max(published, 1 / published)
    means = table.pivot_table(index="molecule", columns="loss", values="temperature_k", aggfunc="mean")
    pairs = means[["E-F", "E"]].dropna().to_numpy(float)

    def quotient(means: Array) -> Array:
        found: Array = np.maximum(means[..., 0], LOWEST_K) / np.maximum(means[..., 1], LOWEST_K)
        return found

    ratio = estimate_from_means(quotient, pairs)
    label = "mean temperature at failure, E-F / E"
    wins, losses = molecules_won(table, "E-F", "E")
    published_wins = sum(row.ef.temperature > row.e.temperature for row in failures)
    limits = _limits_of_runs(table)
    if min(pairs.mean(axis=0)) < LOWEST_K:
        limits = (
            f"one of the means is below {LOWEST_K:g} K and counts as that: the ratio is a bound",
            *limits,
        )
    if (table.loc[table["loss"].isin(["E", "E-F"]), "status"] == "censored").any():
        limits = ("runs that reached the cap count with its temperature", *limits)
    return Evidence(
        [
            Finding(label=label, estimate=ratio, line=margin, published=published, below=True),
            Finding(label=label, estimate=ratio, line=1 / margin, published=published),
        ],
        limits,
        (
            f"molecules held longer by E-F than by E: {wins} of {wins + losses} not tied; "
            f"in the paper {published_wins} of {len(failures)}",
        ),
    )


def _read(results: Results) -> pd.DataFrame:
    """The runs; a failed optimization counts as temperature 0, as in the paper."""
    table = results.table(STABILITY)
    table = table.assign(temperature_k=table["temperature_k"].fillna(0.0))
    molecules = table["molecule"].nunique()
    for loss in LOSSES:
        runs = table[table["loss"] == loss]
        require(len(runs), STABILITY, loss)
        complete = len(runs) == molecules * len(runs[["seed", "replica"]].drop_duplicates())
        require(complete, STABILITY, f"{loss} for every molecule and model")
    return table


def molecules_won(table: pd.DataFrame, loss: str, other: str) -> tuple[int, int]:
    """Molecules that `loss` holds longer than `other`, and the other way round; see `md_stability_order`."""
    won = lost = 0
    for _, runs in table.groupby("molecule"):
        here, there = runs[runs["loss"] == loss], runs[runs["loss"] == other]
        balance = _outlasting(here, there) - _outlasting(there, here)
        won += balance > 0
        lost += balance < 0
    return won, lost


def _outlasting(runs: pd.DataFrame, others: pd.DataFrame) -> int:
    """Pairs of runs in which that of the one surely lasts to a higher temperature than that of the other."""
    higher = runs["temperature_k"].to_numpy()[:, None] > others["temperature_k"].to_numpy()
    return int((higher & (others["status"] != "censored").to_numpy()).sum())


def fallen(runs: pd.DataFrame, temperature: float) -> pd.Series:
    """Whether each run failed below a temperature; one that a cap below it ended did not."""
    return (runs["temperature_k"] < temperature) & (runs["status"] != "censored")


def _control(table: pd.DataFrame) -> tuple[str, ...]:
    """What becomes of the reference in the same test, in words."""
    reference = table[table["loss"] == REFERENCE]
    if reference.empty:
        return ("the reference itself was not put through this test",)
    whole = int((reference["status"] == "censored").sum())
    rate, cap = (f"{reference[name].max():.3g}" for name in ("rate_k_per_ps", "cap_k"))
    return (f"the reference, same start: {whole} of {len(reference)} runs whole at {cap} K, at {rate} K/ps",)


def _limits_of_runs(table: pd.DataFrame) -> tuple[str, ...]:
    models = int(table[table["loss"].isin(LOSSES)].groupby("loss")["seed"].nunique().min())
    molecules = table["molecule"].nunique()
    return (f"{molecules} molecules",) + (
        ("one model of each loss: what another seed gives is not in the interval",) if models == 1 else ()
    )


STATISTICS = {
    "md_stability_order": md_stability_order,
    "md_stability_500k": md_stability_500k,
    "md_stability_ef_as_e": md_stability_ef_as_e,
}
"""Claim of published.yaml to the function that gives its evidence."""
