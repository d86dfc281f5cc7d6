"""Statistics of the claims about the single TS.

How claims are judged is explained in `hessbench.verification.claims`.
"""

import numpy as np
import pandas as pd

from hessbench.config.loss_labels import REFERENCE
from hessbench.config.paper import NEAREST_POINTS
from hessbench.config.paper import TS_FAR as FAR
from hessbench.config.paper import TS_NEAR as NEAR
from hessbench.errors import HessbenchError
from hessbench.experiments.single_ts.run.tables import SINGLE_TS
from hessbench.results.evidence import Evidence, Finding, number, only, require
from hessbench.results.reader import Results
from hessbench.results.statistics import Array, estimate_from_means, proportion
from hessbench.results.store.tables import REMEDY

MOST = 0.5
"""Above this share are most."""
SMALLEST_VARIANCE = 1e-12
"""Of energies, (kcal/mol)^2; below is rounding."""


def single_ts_curvature(results: Results) -> Evidence:
    """Share of the 30 points nearest the TS that models put below their TS energy; models are resampled.

    "Most" is more than half, which is what a model with a slope and no curvature puts below. "Only" is that
    E-F-H's share is larger than those of E and E-F. Beside them stand the models that put most points below.
    """
    table = results.table(SINGLE_TS)
    shares = {}
    for loss in ("E-F-H", "E", "E-F"):
        energies, coordinate = _paths(table, loss)
        order = np.argsort(np.abs(coordinate), kind="stable")
        ts, around = order[0], order[1 : NEAREST_POINTS + 1]
        shares[loss] = (energies[:, around] < energies[:, [ts]]).mean(axis=1, keepdims=True)
    points = f"of the {len(around)} points nearest the TS"
    findings = [
        Finding(
            label=f"share {points} that E-F-H puts below it",
            estimate=estimate_from_means(only, shares["E-F-H"]),
            line=MOST,
        )
    ]
    beside = []
    for loss in ("E", "E-F"):
        difference = estimate_from_means(lambda a, b: a[..., 0] - b[..., 0], shares["E-F-H"], shares[loss])
        label = f"share {points} that E-F-H puts below it, less that of {loss}"
        findings.append(Finding(label=label, estimate=difference, line=0))
        beside.append(
            f"share {points} that {loss} puts below it: {number(estimate_from_means(only, shares[loss]))}"
        )
    for loss, values in shares.items():
        most = int((values > MOST).sum())
        found = number(proportion(most, len(values)))
        beside.append(f"models of {loss} that put most of them below: {most} of {len(values)}, {found}")
    return Evidence(findings, beside=tuple(beside))


def single_ts_uncertainty(results: Results) -> Evidence:
    """Mean absolute error and spread over models near the TS and further away; models are resampled.

    Those of E and E-F are larger at 0.25 - 0.6 amu^0.5 Angstrom from the TS than closer to it; and from +0.25
    to +0.6 they are larger than those of E-F-H.
    """
    table = results.table(SINGLE_TS)
    reference, coordinate = _paths(table, REFERENCE)
    distance = np.abs(coordinate)
    near, far, right = (
        distance <= NEAR,
        (distance > NEAR) & (distance <= FAR),
        (coordinate > NEAR) & (coordinate <= FAR),
    )
    if not (near.any() and far.any() and right.any()):
        raise HessbenchError(
            f"results/single_ts.parquet, column path_coordinate: no points within {NEAR} of the TS, or "
            f"none from there to {FAR}. {REMEDY}"
        )
    moments = {}
    for loss in ("E", "E-F", "E-F-H"):
        deviations = _paths(table, loss)[0] - reference
        moments[loss] = np.concatenate([np.abs(deviations), deviations, deviations**2], axis=1)
    points = len(coordinate)

    def error(means: Array, where: Array) -> Array:
        found: Array = means[..., :points][..., where].mean(axis=-1)
        return found

    def spread(means: Array, where: Array) -> Array:
        variance = means[..., 2 * points :] - means[..., points : 2 * points] ** 2
        # a bootstrap draw may be the same model throughout, whose spread must not be divided by
        found: Array = np.sqrt(np.maximum(variance, SMALLEST_VARIANCE))[..., where].mean(axis=-1)
        return found

    findings = []
    for name, measure in (("error", error), ("spread", spread)):
        for loss in ("E", "E-F"):
            findings += [
                Finding(
                    label=f"{name} of {loss}, {NEAR} to {FAR} amu^0.5 Angstrom from the TS / nearer",
                    estimate=estimate_from_means(
                        lambda a, measure=measure: measure(a, far) / measure(a, near), moments[loss]
                    ),
                    line=1,
                ),
                Finding(
                    label=f"{name} of {loss} / E-F-H, +{NEAR} to +{FAR} amu^0.5 Angstrom from the TS",
                    estimate=estimate_from_means(
                        lambda a, b, measure=measure: measure(a, right) / measure(b, right),
                        moments[loss],
                        moments["E-F-H"],
                    ),
                    line=1,
                ),
            ]
    unit = (
        "depends on the unit of the models' energies (single_ts.energy_unit), which the paper does not state"
    )
    return Evidence(findings, (unit,))


def _paths(table: pd.DataFrame, loss: str) -> tuple[Array, Array]:
    """Energies (models, structures) of one loss along the path, and the path coordinate (structures,)."""
    rows = table[table["loss"] == loss]
    require(len(rows), SINGLE_TS, loss)
    energies = rows.pivot_table(index="model", columns="structure", values="energy")
    coordinate = rows.groupby("structure")["path_coordinate"].first()
    return energies.to_numpy(float), coordinate.to_numpy(float)


STATISTICS = {
    "single_ts_curvature": single_ts_curvature,
    "single_ts_uncertainty": single_ts_uncertainty,
}
"""Claim of published.yaml to the function that gives its evidence."""
