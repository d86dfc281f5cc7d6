"""Statistics of the claims about the time of training.

The thresholds are explained in `hessbench.verification.claims`.
"""

from hessbench.experiments.epoch_cost.run.tables import EPOCH_COST
from hessbench.results.evidence import Finding, require
from hessbench.results.reader import Results
from hessbench.results.statistics import estimate_from_means

LOOP = "autograd loop"
"""The engine of the timing table that works as the paper did."""


def epoch_cost(results: Results) -> list[Finding]:
    """Time of an E-F-H epoch over that of an E-F epoch with the paper's autograd loop; repeats are resampled.

    At the largest training set that both were timed on.
    """
    table = results.table(EPOCH_COST)
    loop = table[table["engine"] == LOOP]
    sizes = [set(loop.loc[loop["loss"] == loss, "percent"]) for loss in ("E-F", "E-F-H")]
    common = sizes[0] & sizes[1]
    require(bool(common), EPOCH_COST, f"E-F and E-F-H with the {LOOP}")
    largest = loop[loop["percent"] == max(common)]
    seconds = [
        largest.loc[largest["loss"] == loss, "seconds"].to_numpy(float)[:, None] for loss in ("E-F", "E-F-H")
    ]
    published = results.published.epoch_cost.ratio
    ratio = estimate_from_means(lambda ef, efh: efh[..., 0] / ef[..., 0], *seconds)
    label = f"time per epoch, E-F-H / E-F, at {max(common)} % of the data"
    return [
        Finding(label=label, estimate=ratio, threshold=published / 2, published=published),
        Finding(label=label, estimate=ratio, threshold=published * 2, published=published, below=True),
    ]


STATISTICS = {
    "epoch_cost": epoch_cost,
}
"""Claim of published.yaml to the function that gives its findings."""
