"""Statistics of the claims about single TS, MD, NEB, spectra and time; see `claims` for the lines."""

import numpy as np
import pandas as pd

from hessbench.errors import HessbenchError
from hessbench.results.statistics import Array, Estimate, estimate_from_means
from hessbench.results.store.tables import REFERENCE, REMEDY
from hessbench.verification.evidence import Evidence, Finding

SMALLEST_VARIANCE = 1e-12
"""Of energies, (kcal/mol)^2; below is rounding."""
NEAR, FAR = 0.25, 0.6
"""Section 3.1, amu^0.5 Angstrom from the TS: where E and E-F begin to fail, and up to where E-F-H holds."""
AZOBENZENE = "azobenzene"
"""The one molecule that section 3.5 excepts."""
BARRIER_ERROR = 1.0
"""kcal/mol; the paper's two barriers are off by 0.36 and 0.80."""
NEAR_TS = 0.05
"""Part of the path's length by which a minimum may miss the TS and still be at it."""
LOOP = "autograd loop"
"""The engine of the timing table that works as the paper did."""


def single_ts_curvature(evidence: Evidence) -> list[Finding]:
    """Share of the 30 points nearest the TS that models put below their TS energy; models are resampled."""
    table = evidence.table("single_ts")
    nearest = evidence.published.single_ts.nearest_points
    findings = []
    for training in ("E-F-H", "E", "E-F"):
        energies, coordinate = _paths(table, training)
        order = np.argsort(np.abs(coordinate), kind="stable")
        ts, around = order[0], order[1 : nearest + 1]
        shares = (energies[:, around] < energies[:, [ts]]).mean(axis=1, keepdims=True)
        findings.append(
            Finding(
                label=f"share of the {len(around)} points nearest the TS that {training} puts below it",
                estimate=estimate_from_means(_only, shares),
                line=0.75,
                below=training != "E-F-H",
            )
        )
    return findings


def single_ts_uncertainty(evidence: Evidence) -> list[Finding]:
    """Mean absolute error and spread over models near the TS and further away; models are resampled.

    Those of E and E-F are larger at 0.25 - 0.6 amu^0.5 Angstrom from the TS than closer to it; and from +0.25
    to +0.6 they are larger than those of E-F-H.
    """
    table = evidence.table("single_ts")
    reference, coordinate = _paths(table, REFERENCE)
    distance = np.abs(coordinate)
    near, far, right = (
        distance <= NEAR,
        (distance > NEAR) & (distance <= FAR),
        (coordinate > NEAR) & (coordinate <= FAR),
    )
    if not (near.any() and far.any() and right.any()):
        raise HessbenchError(
            f"results/single_ts.parquet, column path_coordinate: no points within {NEAR} of the TS, or none "
            f"from there to {FAR}. {REMEDY}"
        )
    moments = {}
    for training in ("E", "E-F", "E-F-H"):
        deviations = _paths(table, training)[0] - reference
        moments[training] = np.concatenate([np.abs(deviations), deviations, deviations**2], axis=1)
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
        for training in ("E", "E-F"):
            findings += [
                Finding(
                    label=f"{name} of {training}, {NEAR} to {FAR} amu^0.5 Angstrom from the TS / nearer",
                    estimate=estimate_from_means(
                        lambda a, measure=measure: measure(a, far) / measure(a, near), moments[training]
                    ),
                    line=1,
                ),
                Finding(
                    label=f"{name} of {training} / E-F-H, +{NEAR} to +{FAR} amu^0.5 Angstrom from the TS",
                    estimate=estimate_from_means(
                        lambda a, b, measure=measure: measure(a, right) / measure(b, right),
                        moments[training],
                        moments["E-F-H"],
                    ),
                    line=1,
                ),
            ]
    return findings


def md_stability_order(evidence: Evidence) -> list[Finding]:
    """Numbers of molecules that fulfil the claim by their mean temperature at failure; models are resampled.

    A run that reached the cap fails somewhere above it: where that could decide, the interval holds both.
    Azobenzene is excepted from the 500 K, and need not fail below them.
    """
    table = evidence.table("stability")
    table = table.assign(temperature_k=table["temperature_k"].fillna(0.0))
    surviving = table["status"] == "censored"
    molecules = sorted(table["molecule"].unique())
    temperatures = {
        (training, capped): _pivot(
            table.assign(
                temperature_k=np.where(surviving, capped, table["temperature_k"])
                if capped
                else table["temperature_k"]
            ),
            training,
            molecules,
        )
        for training in ("E", "E-F", "E-F-H")
        for capped in (0.0, 1e6)
    }
    expected = evidence.published.stability.expected_temperature
    others = np.array([molecule != AZOBENZENE for molecule in molecules])

    def outlasting(e: Array, ef: Array, efh: Array) -> Array:
        found: Array = ((efh > e) & (efh > ef)).sum(axis=-1).astype(float)
        return found

    def standing(efh: Array) -> Array:
        found: Array = (efh[..., others] >= expected).sum(axis=-1).astype(float)
        return found

    low, high = (
        estimate_from_means(
            outlasting,
            *(temperatures[training, cap] for training, cap in zip(("E", "E-F", "E-F-H"), caps, strict=True)),
        )
        for caps in ((1e6, 1e6, 0.0), (0.0, 0.0, 1e6))
    )
    cool, hot = (estimate_from_means(standing, temperatures["E-F-H", cap]) for cap in (0.0, 1e6))
    failures = evidence.published.stability.failure
    published = sum(f.efh.temperature > max(f.e.temperature, f.ef.temperature) for f in failures.values())
    published_hot = sum(f.efh.temperature >= expected for name, f in failures.items() if name != AZOBENZENE)
    return [
        Finding(
            label=f"molecules, of {len(molecules)}, whole to a higher temperature with E-F-H than else",
            estimate=Estimate(low.value, low.low, high.high),
            line=len(molecules) - 0.5,
            published=published,
        ),
        Finding(
            label=f"molecules, of {int(others.sum())} but azobenzene, whole up to {expected:g} K by E-F-H",
            estimate=Estimate(cool.value, cool.low, hot.high),
            line=int(others.sum()) - 0.5,
            published=published_hot,
        ),
    ]


def neb_convergence(evidence: Evidence) -> list[Finding]:
    """Shares of reactions whose bands converge, and the barrier error of E-F-H's; reactions are resampled.

    Bands of several models of one reaction count as their mean. The barrier error is that of converged bands.
    """
    table = evidence.table("neb_summary")
    table = table[table["training"] != REFERENCE].assign(
        converged=(table["status"] == "converged").astype(float)
    )
    published = evidence.published.neb.reactions.values()
    findings = []
    for training, loss in (("E-F-H", "efh"), ("E", "e"), ("E-F", "ef")):
        shares = table[table["training"] == training].groupby("reaction")["converged"].mean()
        findings.append(
            Finding(
                label=f"share of bands that converge with {training}",
                estimate=estimate_from_means(_only, _column(shares, "neb_summary", training)),
                line=0.5,
                published=float(np.mean([getattr(path.converged, loss) for path in published])),
                below=training != "E-F-H",
            )
        )
    converged = table[(table["training"] == "E-F-H") & (table["converged"] == 1)]
    if not converged.empty:
        misses = (
            (converged["barrier"] - converged["barrier_reference"])
            .abs()
            .groupby(converged["reaction"])
            .mean()
        )
        findings.append(
            Finding(
                label="mean absolute barrier error of E-F-H's converged bands, kcal/mol",
                estimate=estimate_from_means(_only, _column(misses.dropna(), "neb_summary", "E-F-H")),
                line=BARRIER_ERROR,
                published=float(
                    np.mean([abs(path.barrier.efh - path.barrier.reference) for path in published])
                ),
                below=True,
            )
        )
    return findings


def spectra_softening(evidence: Evidence) -> list[Finding]:
    """Where E-F-H's lowest mode has its minimum, and how much of the reference's variation it follows.

    The first is the distance from the TS as part of the path's length; the second the share of the variance
    of the reference's frequencies along the path, each about its mode's mean, that E-F-H explains. Models are
    resampled.
    """
    table = evidence.table("spectra")
    table = table[table["training"] == "E-F-H"]
    misses, residual, variance = [], [], []
    for _, rows in table.groupby(["reaction", "seed"]):
        lowest = rows.sort_values("frequency_cm1").iloc[0]
        length = rows["path_coordinate"].max() - rows["path_coordinate"].min()
        misses.append(abs(lowest["path_coordinate"]) / length)
        matched = rows.dropna(subset=["reference_frequency_cm1"])
        modes = matched.groupby("mode")
        found = matched["frequency_cm1"] - modes["frequency_cm1"].transform("mean")
        true = matched["reference_frequency_cm1"] - modes["reference_frequency_cm1"].transform("mean")
        residual.append(((found - true) ** 2).mean())
        variance.append((true**2).mean())
    both = np.stack([residual, variance], axis=1) if misses else np.empty((0, 2))
    _require(len(both), "spectra", "E-F-H")
    return [
        Finding(
            label="distance of the lowest mode's minimum from the TS over the path's length",
            estimate=estimate_from_means(_only, np.array(misses)[:, None]),
            line=NEAR_TS,
            below=True,
        ),
        Finding(
            label="share of the frequencies' variation along the path that E-F-H follows",
            estimate=estimate_from_means(lambda means: 1 - means[..., 0] / means[..., 1], both),
            line=0.5,
        ),
    ]


def spectra_speedup(evidence: Evidence) -> list[Finding]:
    """CPU time per image of the reference over that of E-F-H.

    One measurement each, so the interval is a stated one: a factor of 2 either way.
    """
    cost = evidence.table("spectra_cost").set_index("source")
    for source in (REFERENCE, "E-F-H"):
        _require(source in cost.index, "spectra_cost", source)
    per_image = (cost["cpu_s"] / cost["images"]).groupby(level=0).mean()
    ratio = per_image[REFERENCE] / per_image["E-F-H"]
    spectra = evidence.published.spectra
    return [
        Finding(
            label="CPU time per Hessian, reference / E-F-H",
            estimate=Estimate(ratio, ratio / 2, ratio * 2),
            line=10**4.5,
            published=spectra.reference_total / spectra.model_total,
        )
    ]


def epoch_cost(evidence: Evidence) -> list[Finding]:
    """Time of an E-F-H epoch over that of an E-F epoch with the paper's autograd loop; repeats are resampled.

    At the largest training set that both were timed on.
    """
    table = evidence.table("epoch_cost")
    loop = table[table["engine"] == LOOP]
    sizes = [set(loop.loc[loop["training"] == training, "percent"]) for training in ("E-F", "E-F-H")]
    common = sizes[0] & sizes[1]
    _require(bool(common), "epoch_cost", f"E-F and E-F-H with the {LOOP}")
    largest = loop[loop["percent"] == max(common)]
    seconds = [
        largest.loc[largest["training"] == training, "seconds"].to_numpy(float)[:, None]
        for training in ("E-F", "E-F-H")
    ]
    published = evidence.published.epoch_cost.ratio
    ratio = estimate_from_means(lambda ef, efh: efh[..., 0] / ef[..., 0], *seconds)
    label = f"time per epoch, E-F-H / E-F, at {max(common)} % of the data"
    return [
        Finding(label=label, estimate=ratio, line=published / 2, published=published),
        Finding(label=label, estimate=ratio, line=published * 2, published=published, below=True),
    ]


STATISTICS = {
    statistic.__name__: statistic
    for statistic in (
        single_ts_curvature,
        single_ts_uncertainty,
        md_stability_order,
        neb_convergence,
        spectra_softening,
        spectra_speedup,
        epoch_cost,
    )
}
"""Claim of published.yaml to the function that gives its findings."""


def _paths(table: pd.DataFrame, training: str) -> tuple[Array, Array]:
    """Energies (models, structures) of one training along the path, and the path coordinate (structures,)."""
    rows = table[table["training"] == training]
    _require(len(rows), "single_ts", training)
    energies = rows.pivot_table(index="model", columns="structure", values="energy")
    coordinate = rows.groupby("structure")["path_coordinate"].first()
    return energies.to_numpy(float), coordinate.to_numpy(float)


def _pivot(table: pd.DataFrame, training: str, molecules: list[str]) -> Array:
    """Temperatures (models, molecules) of one training."""
    rows = table[table["training"] == training]
    _require(len(rows), "stability", training)
    wide = rows.pivot_table(index="seed", columns="molecule", values="temperature_k").reindex(
        columns=molecules
    )
    _require(not wide.isna().any(axis=None), "stability", f"{training} for every molecule and model")
    return wide.to_numpy(float)


def _column(values: pd.Series, name: str, training: str) -> Array:
    _require(len(values), name, training)
    return values.to_numpy(float)[:, None]


def _only(means: Array) -> Array:
    found: Array = means[..., 0]
    return found


def _require(present: object, name: str, what: str) -> None:
    if not present:
        raise HessbenchError(f"results/{name}.parquet: no rows of {what}. {REMEDY}")
