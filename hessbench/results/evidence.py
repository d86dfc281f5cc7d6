"""What claims are judged by: findings from a run's results, each with the threshold that decides."""

import math
from dataclasses import dataclass

import pandas as pd

from hessbench.results.statistics import Array, Estimate
from hessbench.results.store.tables import REMEDY, ResultsError, Table


@dataclass(frozen=True)
class Finding:
    """A number that speaks for a claim when it lies beyond a threshold.

    Attributes
    ----------
    label
        What the number is, for the reason of the verdict.
    estimate
        The number with its interval.
    threshold
        Where the claim stops to hold.
    published
        The same number from the paper's tables; None where the paper states none.
    below
        The claim holds below the threshold, not above it.
    """

    label: str
    estimate: Estimate
    threshold: float
    published: float | None = None
    below: bool = False

    @property
    def holds(self) -> bool | None:
        """Whether the whole interval lies on the claim's side; None when the threshold lies inside it."""
        low, high, threshold = self.estimate.low, self.estimate.high, self.threshold
        if self.below:
            low, high, threshold = -high, -low, -threshold
        return True if low > threshold else False if high < threshold else None

    def __str__(self) -> str:
        side = "below" if self.below else "above"
        found = f"{self.estimate.value:.4g}"
        if math.isfinite(self.estimate.low):
            found += f" [{self.estimate.low:.4g}, {self.estimate.high:.4g}]"
        return f"{self.label} = {found}, claimed {side} {self.threshold:.4g}"


def column(values: pd.Series, table: Table, loss: str) -> Array:
    """Values of one loss as a column (n, 1), for `estimate_from_means`; they come from `table`."""
    require(len(values), table, loss)
    return values.to_numpy(float)[:, None]


def only(means: Array) -> Array:
    """The mean itself as the statistic, of samples that are one column."""
    found: Array = means[..., 0]
    return found


def require(present: object, table: Table, what: str) -> None:
    """Make sure that a results table has the rows a statistic is about.

    Raises
    ------
    ResultsError
        `present` is false.
    """
    if not present:
        raise ResultsError(f"results/{table.name}.parquet", f"no rows of {what}. {REMEDY}")
