"""Statistics of the claims about molecular dynamics.

The thresholds are explained in `hessbench.verification.claims`.
"""

import numpy as np
import pandas as pd

from hessbench.config.paper import STABLE_K
from hessbench.experiments.stability.run.tables import STABILITY
from hessbench.results.evidence import Finding, require
from hessbench.results.reader import Results
from hessbench.results.statistics import Array, Estimate, estimate_from_means

AZOBENZENE = "azobenzene"
"""The one molecule that section 3.5 excepts."""


def md_stability_order(results: Results) -> list[Finding]:
    """Numbers of molecules that fulfil the claim by their mean temperature at failure; models are resampled.

    A run that reached the cap fails somewhere above it: where that could decide, the interval holds both.
    Azobenzene is excepted from the 500 K, and need not fail below them.
    """
    table = results.table(STABILITY)
    table = table.assign(temperature_k=table["temperature_k"].fillna(0.0))
    surviving = table["status"] == "censored"
    molecules = sorted(table["molecule"].unique())
    temperatures = {
        (loss, capped): _pivot(
            table.assign(
                temperature_k=np.where(surviving, capped, table["temperature_k"])
                if capped
                else table["temperature_k"]
            ),
            loss,
            molecules,
        )
        for loss in ("E", "E-F", "E-F-H")
        for capped in (0.0, 1e6)
    }
    others = np.array([molecule != AZOBENZENE for molecule in molecules])

    def outlasting(e: Array, ef: Array, efh: Array) -> Array:
        found: Array = ((efh > e) & (efh > ef)).sum(axis=-1).astype(float)
        return found

    def standing(efh: Array) -> Array:
        found: Array = (efh[..., others] >= STABLE_K).sum(axis=-1).astype(float)
        return found

    low, high = (
        estimate_from_means(
            outlasting,
            *(temperatures[loss, cap] for loss, cap in zip(("E", "E-F", "E-F-H"), caps, strict=True)),
        )
        for caps in ((1e6, 1e6, 0.0), (0.0, 0.0, 1e6))
    )
    cool, hot = (estimate_from_means(standing, temperatures["E-F-H", cap]) for cap in (0.0, 1e6))
    failures = results.published.stability.failure
    published = sum(f.efh.temperature > max(f.e.temperature, f.ef.temperature) for f in failures.values())
    published_hot = sum(f.efh.temperature >= STABLE_K for name, f in failures.items() if name != AZOBENZENE)
    return [
        Finding(
            label=f"molecules, of {len(molecules)}, whole to a higher temperature with E-F-H than else",
            estimate=Estimate(low.value, low.low, high.high),
            threshold=len(molecules) - 0.5,
            published=published,
        ),
        Finding(
            label=f"molecules, of {int(others.sum())} but azobenzene, whole up to {STABLE_K:g} K by E-F-H",
            estimate=Estimate(cool.value, cool.low, hot.high),
            threshold=int(others.sum()) - 0.5,
            published=published_hot,
        ),
    ]


def _pivot(table: pd.DataFrame, loss: str, molecules: list[str]) -> Array:
    """Temperatures (models, molecules) of one training."""
    rows = table[table["loss"] == loss]
    require(len(rows), STABILITY, loss)
    wide = rows.pivot_table(index="seed", columns="molecule", values="temperature_k").reindex(
        columns=molecules
    )
    require(not wide.isna().any(axis=None), STABILITY, f"{loss} for every molecule and model")
    return wide.to_numpy(float)


STATISTICS = {
    "md_stability_order": md_stability_order,
}
"""Claim of published.yaml to the function that gives its findings."""
