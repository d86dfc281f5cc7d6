"""Statistics of the claims about spectra.

The thresholds are explained in `hessbench.verification.claims`.
"""

import numpy as np

from hessbench.config.loss_labels import REFERENCE
from hessbench.experiments.spectra.run.tables import COST, SPECTRA
from hessbench.results.evidence import Finding, only, require
from hessbench.results.reader import Results
from hessbench.results.statistics import Estimate, estimate_from_means

NEAR_TS = 0.05
"""Part of the path's length by which a minimum may miss the TS and still be at it."""


def spectra_softening(results: Results) -> list[Finding]:
    """Where E-F-H's lowest mode has its minimum, and how much of the reference's variation it follows.

    The first is the distance from the TS as part of the path's length; the second the share of the variance
    of the reference's frequencies along the path, each about its mode's mean, that E-F-H explains. Models are
    resampled.
    """
    table = results.table(SPECTRA)
    table = table[table["loss"] == "E-F-H"]
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
    require(len(both), SPECTRA, "E-F-H")
    return [
        Finding(
            label="distance of the lowest mode's minimum from the TS over the path's length",
            estimate=estimate_from_means(only, np.array(misses)[:, None]),
            threshold=NEAR_TS,
            below=True,
        ),
        Finding(
            label="share of the frequencies' variation along the path that E-F-H follows",
            estimate=estimate_from_means(lambda means: 1 - means[..., 0] / means[..., 1], both),
            threshold=0.5,
        ),
    ]


def spectra_speedup(results: Results) -> list[Finding]:
    """CPU time per image of the reference over that of E-F-H.

    One measurement each, so the interval is a stated one: a factor of 2 either way.
    """
    cost = results.table(COST).set_index("source")
    for source in (REFERENCE, "E-F-H"):
        require(source in cost.index, COST, source)
    per_image = (cost["cpu_s"] / cost["images"]).groupby(level=0).mean()
    ratio = per_image[REFERENCE] / per_image["E-F-H"]
    spectra = results.published.spectra
    return [
        Finding(
            label="CPU time per Hessian, reference / E-F-H",
            estimate=Estimate(ratio, ratio / 2, ratio * 2),
            threshold=10**4.5,
            published=spectra.reference_total / spectra.model_total,
        )
    ]


STATISTICS = {
    "spectra_softening": spectra_softening,
    "spectra_speedup": spectra_speedup,
}
"""Claim of published.yaml to the function that gives its findings."""
