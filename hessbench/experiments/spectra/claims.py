"""Statistics of the claims about spectra.

How claims are judged is explained in `hessbench.verification.claims`.
"""

import numpy as np
import pandas as pd

from hessbench.config.loss_labels import REFERENCE
from hessbench.experiments.spectra.run.tables import COST, SPECTRA, SUMMARY
from hessbench.results.evidence import Evidence, Finding, column, number, only, require
from hessbench.results.reader import Results
from hessbench.results.statistics import Array, Estimate, estimate_from_means

NEAR = 0.05
"""Part of the path's length by which a minimum may miss the reference's and still be at it."""
CLOSE_CM1 = 100.0
"""A frequency that is reproduced lies so near to the reference's."""
DFT_HESSIAN_CPU_S = 350.0
"""CPU time of one DFT Hessian with its SCF, 13 atoms, DF-wB97X-D/6-31G(d) by PySCF: 15 and 160 s on two
cores (docs/data-sources.md, "Labels of your own"). The paper's Gaussian 16 took 301 s (section 3.7)."""
STATED_FACTOR = 2.0
"""Interval of the speed-up, either way: one time of another machine, for another molecule."""


def spectra_softening(results: Results) -> Evidence:
    """Distance between the minima of the lowest mode of E-F-H and of the reference, as part of the path.

    Models are resampled. Where the reference's own minimum is not at the TS, the sentence cannot be tested to
    the full: it does not pass itself.
    """
    summary = results.table(SUMMARY)
    spectra = results.table(SPECTRA)
    ends = spectra.groupby("reaction")["path_coordinate"].agg(["min", "max"])
    lengths = summary["reaction"].map(ends["max"] - ends["min"])
    summary = summary.assign(
        miss=(summary["softest_at"] - summary["reference_softest_at"]).abs() / lengths,
        reference_miss=summary["reference_softest_at"].abs() / lengths,
    )
    efh = summary[summary["loss"] == "E-F-H"]
    distance = Finding(
        label="distance of E-F-H's minimum from the reference's, over the path's length",
        estimate=estimate_from_means(only, column(efh["miss"], SUMMARY, "E-F-H")),
        line=NEAR,
        below=True,
    )
    limits = _limits(efh)
    own = efh.groupby("reaction")["reference_miss"].first()
    if (own > NEAR).any():
        limits += (f"the reference's own minimum lies {100 * own.max():.2g} % of the path from the TS",)
    beside = [
        f"the same of {loss}: {number(estimate_from_means(only, column(rows['miss'], SUMMARY, loss)))}"
        for loss in ("E", "E-F")
        if len(rows := summary[summary["loss"] == loss])
    ]
    return Evidence([distance], limits, tuple(beside))


def spectra_frequencies(results: Results) -> Evidence:
    """Root mean square error of all frequencies of E-F over that of E-F-H; models are resampled.

    At each image the frequencies of model and reference are both sorted. Matching by overlap of the modes
    would pair frequencies that no spectrum could tell apart, and makes errors larger, not smaller.
    """
    table = results.table(SPECTRA)
    squared, close = {}, {}
    for loss in ("E-F-H", "E-F"):
        rows = table[table["loss"] == loss]
        require(len(rows), SPECTRA, loss)
        errors = {key: sorted_errors(model) for key, model in rows.groupby(["reaction", "seed"])}
        squared[loss] = np.array([[np.mean(error**2)] for error in errors.values()])
        close[loss] = np.array([[np.mean(np.abs(error) < CLOSE_CM1)] for error in errors.values()])
    ratio = Finding(
        label="root mean square error of sorted frequencies, E-F / E-F-H",
        estimate=estimate_from_means(
            lambda ef, efh: np.sqrt(np.maximum(ef[..., 0], 0) / np.maximum(efh[..., 0], 1)),
            squared["E-F"],
            squared["E-F-H"],
        ),
        line=1,
    )
    beside = [
        f"share of frequencies within {CLOSE_CM1:g} cm⁻¹ of the reference's, {loss}: "
        f"{number(estimate_from_means(only, close[loss]))}; root mean square error "
        f"{np.sqrt(squared[loss].mean()):.3g} cm⁻¹"
        for loss in ("E-F-H", "E-F")
    ]
    return Evidence([ratio], _limits(table[table["loss"] == "E-F-H"]), tuple(beside))


def sorted_errors(rows: pd.DataFrame) -> Array:
    """Differences of the frequencies of one model and the reference's, both sorted at each image."""
    differences = []
    for _, image in rows.dropna(subset=["reference_frequency_cm1"]).groupby("image"):
        found = np.sort(image["frequency_cm1"].to_numpy(float))
        differences.append(found - np.sort(image["reference_frequency_cm1"].to_numpy(float)))
    return np.concatenate(differences)


def spectra_speedup(results: Results) -> Evidence:
    """CPU time of a DFT Hessian over that of E-F-H an image; GFN2-xTB's, if it is the reference, beside it.

    The time of DFT is a constant of this project, so the interval is stated: a factor of two either way.
    """
    cost = results.table(COST).set_index("source")
    for source in (REFERENCE, "E-F-H"):
        require(source in cost.index, COST, source)
    per_image = (cost["cpu_s"] / cost["images"]).groupby(level=0).mean()
    ratio = DFT_HESSIAN_CPU_S / per_image["E-F-H"]
    spectra = results.published.spectra
    speedup = Finding(
        label="CPU time of a Hessian, DFT / E-F-H",
        estimate=Estimate(ratio, ratio / STATED_FACTOR, ratio * STATED_FACTOR),
        line=1,
        published=spectra.reference_total / spectra.model_total,
        states="bound",
    )
    level = results.provenance(COST).level
    own = per_image[REFERENCE] / per_image["E-F-H"]
    return Evidence(
        [speedup],
        ("the time of DFT is that of 13 atoms on another machine; interval: a factor of two either way",),
        (f"the same of this run's reference, {level}: {own:.3g}",),
    )


def _limits(rows: pd.DataFrame) -> tuple[str, ...]:
    reactions = rows["reaction"].nunique()
    return () if reactions > 1 else ("one reaction",)


STATISTICS = {
    "spectra_softening": spectra_softening,
    "spectra_frequencies": spectra_frequencies,
    "spectra_speedup": spectra_speedup,
}
"""Claim of published.yaml to the function that gives its evidence."""
