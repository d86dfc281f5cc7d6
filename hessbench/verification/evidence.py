"""What claims are judged by: findings from a run's results, each with the line that decides."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from hessbench.errors import HessbenchError
from hessbench.results.published import Published
from hessbench.results.statistics import Array, Estimate, estimate
from hessbench.results.store.tables import LABELS, REMEDY
from hessbench.results.stored import StoredResults


@dataclass(frozen=True)
class Finding:
    """A number that speaks for a claim when it lies beyond a line.

    Attributes
    ----------
    label
        What the number is, for the reason of the verdict.
    estimate
        The number with its interval.
    line
        Where the claim stops to hold.
    published
        The same number from the paper's tables; None where the paper states none.
    below
        The claim holds below the line, not above it.
    """

    label: str
    estimate: Estimate
    line: float
    published: float | None = None
    below: bool = False

    @property
    def holds(self) -> bool | None:
        """Whether the whole interval lies on the claim's side of the line; None when it crosses the line."""
        low, high = self.estimate.low, self.estimate.high
        if self.below:
            low, high = -high, -low
        line = -self.line if self.below else self.line
        return True if low > line else False if high < line else None

    def __str__(self) -> str:
        side = "below" if self.below else "above"
        found = f"{self.estimate.value:.4g}"
        if math.isfinite(self.estimate.low):
            found += f" [{self.estimate.low:.4g}, {self.estimate.high:.4g}]"
        return f"{self.label} = {found}, claimed {side} {self.line:.4g}"


class Evidence:
    """A run's errors, compared between trainings in one way for our numbers and the published ones."""

    def __init__(self, stored: StoredResults, published: Published) -> None:
        self.stored = stored
        self.published = published

    def table(self, name: str) -> pd.DataFrame:
        """Results of an experiment; missing ones leave a claim undecided."""
        return self.stored.table(name)

    def ratio(
        self,
        test_set: str,
        quantity: str,
        larger: str,
        smaller: str,
        *,
        line: float,
        larger_fraction: int | None = None,
        smaller_fraction: int | None = None,
    ) -> Finding:
        """RMSE of one training over that of another, claimed to lie above `line`.

        Fractions (percent of the data) default to that of Tables 2-4; for others the paper has no numbers.
        """
        name = f"{quantity} RMSE on {test_set.upper()}, "
        main = larger_fraction is None and smaller_fraction is None
        return Finding(
            label=name + f"{self._label(larger, larger_fraction)} / {self._label(smaller, smaller_fraction)}",
            estimate=self._estimate(
                lambda a, b: a / b, test_set, quantity, (larger, larger_fraction), (smaller, smaller_fraction)
            ),
            line=line,
            published=self._published(test_set, larger, quantity)
            / self._published(test_set, smaller, quantity)
            if main
            else None,
        )

    def reduction(self, test_set: str, quantity: str, *, of: str, by: str, share: float) -> Finding:
        """Percent by which training `by` lies below training `of`, claimed above `share` of the published."""

        def percent(a: Array, b: Array) -> Array:
            return 100 * (1 - b / a)

        published = 100 * (
            1 - self._published(test_set, by, quantity) / self._published(test_set, of, quantity)
        )
        return Finding(
            label=f"{quantity} RMSE on {test_set.upper()}, {LABELS[by]} below {LABELS[of]} in percent",
            estimate=self._estimate(percent, test_set, quantity, (of, None), (by, None)),
            line=share * published,
            published=published,
        )

    def _estimate(
        self,
        statistic: Callable[..., Array],
        test_set: str,
        quantity: str,
        *trainings: tuple[str, int | None],
    ) -> Estimate:
        main = self.stored.main_fraction
        ensembles = [
            self.stored.errors(loss, main if fraction is None else fraction, test_set, quantity)
            for loss, fraction in trainings
        ]
        return estimate(statistic, *ensembles)

    def _published(self, test_set: str, loss: str, quantity: str) -> float:
        return self.published.cell(test_set, loss, quantity).rmse

    @staticmethod
    def _label(loss: str, fraction: int | None) -> str:
        return LABELS[loss] if fraction is None else f"{LABELS[loss]} ({fraction} %)"


def column(values: pd.Series, name: str, training: str) -> Array:
    """Values of one training as a column (n, 1), for `estimate_from_means`; `name` is their results table."""
    require(len(values), name, training)
    return values.to_numpy(float)[:, None]


def only(means: Array) -> Array:
    """The mean itself as the statistic, of samples that are one column."""
    found: Array = means[..., 0]
    return found


def require(present: object, name: str, what: str) -> None:
    """Make sure that a results table has the rows a statistic is about.

    Raises
    ------
    HessbenchError
        `present` is false.
    """
    if not present:
        raise HessbenchError(f"results/{name}.parquet: no rows of {what}. {REMEDY}")
