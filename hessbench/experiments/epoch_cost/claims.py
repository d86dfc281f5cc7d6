"""Statistics of the claims about the time of training.

How claims are judged is explained in `hessbench.verification.claims`.
"""

from hessbench.experiments.epoch_cost.run.tables import EPOCH_COST
from hessbench.results.evidence import Evidence, Finding, require
from hessbench.results.reader import Results
from hessbench.results.statistics import estimate_from_means

LOOP = "autograd loop"
"""The engine of the timing table that works as the paper did."""


def epoch_cost(results: Results) -> Evidence:
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
    ratio = Finding(
        label=f"time per epoch, E-F-H / E-F, at {max(common)} % of the data",
        estimate=estimate_from_means(lambda ef, efh: efh[..., 0] / ef[..., 0], *seconds),
        line=1,
        published=results.published.epoch_cost.ratio,
        states="size",
    )
    limits = []
    timed = largest.loc[largest["loss"] == "E-F-H", "timed_structures"].min()
    if largest.loc[largest["loss"] == "E-F-H", "extrapolated"].any():
        limits.append(f"the loop was timed on {timed} structures and scaled to the epoch")
    return Evidence([ratio], tuple(limits))


STATISTICS = {
    "epoch_cost": epoch_cost,
}
"""Claim of published.yaml to the function that gives its evidence."""
