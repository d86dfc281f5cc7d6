"""What claims are judged by: findings from a run's results, each with the line that decides its direction."""

import math
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from hessbench.results.statistics import Array, Estimate
from hessbench.results.store.tables import REMEDY, ResultsError, Table

CONSISTENT, SMALLER, LARGER = "consistent", "smaller", "larger"
"""How large a number is beside the published one."""


@dataclass(frozen=True)
class Size:
    """A number in units of the published one: the word for it, and the quotient with its interval."""

    word: str
    ratio: Estimate


@dataclass(frozen=True)
class Finding:
    """A number that speaks for a claim when it lies beyond a line.

    Attributes
    ----------
    label
        What the number is.
    estimate
        The number with its interval.
    line
        Where the number would lie without the effect: 1 for a ratio, 0 for a gain, one half for a share.
        Where no effect is claimed, the largest difference that the sentence allows.
    published
        The same number in the paper; None where it states none.
    below
        The claim holds below the line, not above it.
    states
        What the sentence says of the published number: that it is so large (``size``), at least so large in
        the direction of the claim (``bound``), or nothing (``order``).
    """

    label: str
    estimate: Estimate
    line: float
    published: float | None = None
    below: bool = False
    states: Literal["size", "bound", "order"] = "order"

    @property
    def holds(self) -> bool | None:
        """Whether the whole interval lies on the claim's side; None when the line lies inside it."""
        low, high, line = self.estimate.low, self.estimate.high, self.line
        if self.below:
            low, high, line = -high, -low, -line
        return True if low > line else False if high < line else None

    @property
    def size(self) -> Size | None:
        """The number beside the published one; None without one, or without an interval."""
        low, high = self.estimate.low, self.estimate.high
        if self.published is None or not math.isfinite(low) or not math.isfinite(high):
            return None
        word = SMALLER if high < self.published else LARGER if low > self.published else CONSISTENT
        return Size(word, Estimate(*(bound / self.published for bound in (self.estimate.value, low, high))))

    @property
    def agrees_in_size(self) -> bool:
        """Whether the size does not contradict what the sentence says of it."""
        beyond = SMALLER if self.below else LARGER
        return (
            self.states == "order"
            or self.size is None
            or self.size.word == CONSISTENT
            or (self.states == "bound" and self.size.word == beyond)
        )

    def __str__(self) -> str:
        text = f"{self.label}: {number(self.estimate)}"
        text += f", claimed {'below' if self.below else 'above'} {self.line:.3g}"
        return text + (f", published {self.published:.3g}" if self.published is not None else "")


@dataclass(frozen=True)
class Evidence:
    """All that a run says of a claim.

    Attributes
    ----------
    findings
        The claim holds when each of them does. Without any, it cannot be tested by this run.
    limits
        What keeps these results from a full test of the sentence, each as a short phrase.
    beside
        Numbers that do not decide, to be read beside those that do, each with its interval as text.
    """

    findings: list[Finding]
    limits: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()


def number(estimate: Estimate, form: str = ".3g") -> str:
    """A number with its interval, if it has one: ``0.69 [0.67, 0.71]``."""
    value = f"{estimate.value:{form}}"
    if not math.isfinite(estimate.low):
        return value
    return f"{value} [{estimate.low:{form}}, {estimate.high:{form}}]"


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
