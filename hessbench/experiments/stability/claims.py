"""Statistics of the claims about molecular dynamics.

How claims are judged is explained in `hessbench.verification.claims`.
"""

import numpy as np
import pandas as pd

from hessbench.config.paper import STABLE_K
from hessbench.experiments.stability.run.tables import STABILITY
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

    Of each molecule the mean temperature at failure over the models; molecules where both are the same, or
    where runs that reached the cap leave it open which is higher, are ties, which a sign test leaves out.
    """
    table = _read(results)
    bounds = _bounds(table)
    findings, limits = [], _limits_of_models(table)
    failures = results.published.stability.failure
    for loss, key in (("E", "e"), ("E-F", "ef")):
        wins, losses = _wins(bounds, "E-F-H", loss)
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
    return Evidence(findings, limits)


def md_stability_500k(results: Results) -> Evidence:
    """Share of molecules that E-F-H holds together up to 500 K, azobenzene left out; most are more than half.

    A molecule does if the mean temperature over the models does; one that a low cap leaves open is left out.
    """
    table = _read(results)
    low, high = _bounds(table)["E-F-H"]
    others = [molecule for molecule in low.index if molecule != AZOBENZENE]
    standing = int((low[others] >= STABLE_K).sum())
    decided = standing + int((high[others] < STABLE_K).sum())
    if not decided:
        return Evidence([], (f"the cap lies below {STABLE_K:g} K",))
    rate = _heating_rate(table)
    limits = _limits_of_models(table)
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
    return Evidence([share], limits)


def md_stability_ef_as_e(results: Results) -> Evidence:
    """Ratio of the mean temperatures at failure of E-F and E; molecules are resampled.

    Similar is what the paper calls so: in its Table S1 the two means differ by a factor of two.
    """
    table = _read(results)
    bounds = _bounds(table)
    failures = results.published.stability.failure.values()
    published = sum(row.ef.temperature for row in failures) / sum(row.e.temperature for row in failures)
    margin = max(published, 1 / published)
    pairs = np.stack([bounds["E-F"][0], bounds["E"][0]], axis=1)

    def quotient(means: Array) -> Array:
        found: Array = np.maximum(means[..., 0], LOWEST_K) / np.maximum(means[..., 1], LOWEST_K)
        return found

    ratio = estimate_from_means(quotient, pairs)
    label = "mean temperature at failure, E-F / E"
    wins, losses = _wins(bounds, "E-F", "E")
    published_wins = sum(row.ef.temperature > row.e.temperature for row in failures)
    limits = _limits_of_models(table)
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
        complete = len(runs) == molecules * runs["seed"].nunique()
        require(complete, STABILITY, f"{loss} for every molecule and model")
    return table


def _bounds(table: pd.DataFrame) -> dict[str, tuple[pd.Series, pd.Series]]:
    """Lower and upper bounds of the mean temperature at failure of each molecule, by loss.

    The two differ where a run reached the cap: it would have failed somewhere above.
    """
    open_ended = table["temperature_k"].where(table["status"] != "censored", np.inf)
    return {
        loss: (rows["temperature_k"].mean(), rows["upper"].mean())
        for loss, rows in (
            (loss, table.assign(upper=open_ended)[table["loss"] == loss].groupby("molecule"))
            for loss in LOSSES
        )
    }


def _wins(bounds: dict[str, tuple[pd.Series, pd.Series]], loss: str, other: str) -> tuple[int, int]:
    """Molecules that `loss` certainly holds to a higher temperature than `other`, and the other way round."""
    (low, high), (other_low, other_high) = bounds[loss], bounds[other]
    return int((low > other_high).sum()), int((other_low > high).sum())


def _heating_rate(table: pd.DataFrame) -> float:
    """K/ps, by the run that lasted longest."""
    place = int(table["time_fs"].to_numpy(float).argmax())
    time, temperature = (float(table[column].iloc[place]) for column in ("time_fs", "temperature_k"))
    return 1000 * temperature / time if time else 0.0


def _limits_of_models(table: pd.DataFrame) -> tuple[str, ...]:
    models = int(table.groupby("loss")["seed"].nunique().min())
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
