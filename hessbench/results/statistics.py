"""Confidence intervals of numbers from a few models, reactions or repeats, by bootstrap.

A bootstrap over a handful is too narrow: its variance lacks n / (n - 1), and its tails those of Student's t.
Both are put back, following Hesterberg (Am. Stat. 69, 371 (2015), on small samples): for models by stretching
their deviations, because a bootstrap of three numbers cannot leave their range; for reactions by taking
quantiles further out. Shares of cases that did or did not happen have exact (Clopper-Pearson) intervals: a
bootstrap of 0 of 22 would say that nothing but 0 is possible.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array: TypeAlias = NDArray[np.float64]

LEVEL = 0.95
"""Confidence of every interval."""
REPLICATES = 4000
SEED = 20250307


@dataclass(frozen=True)
class Estimate:
    """A number with the bounds of its confidence interval."""

    value: float
    low: float
    high: float


def estimate_from_means(
    statistic: Callable[..., Array], *samples: Array, replicates: int = REPLICATES, seed: int = SEED
) -> Estimate:
    """Value and bootstrap interval of a function of sample means.

    Parameters
    ----------
    statistic
        Takes one (..., K_i) array of means per sample, gives (...).
    samples
        (n_i, K_i) each: K_i numbers for each of n_i independent units (models, reactions, repeats). Units of
        different samples are resampled independently, deviations stretched by `small_sample_factor`.

    Returns
    -------
    Estimate
        Without bounds (infinite ones) if a sample has a single unit.
    """
    value = float(statistic(*(sample.mean(axis=0) for sample in samples)))
    if min(len(sample) for sample in samples) == 1:
        return Estimate(value, -np.inf, np.inf)
    resampled = []
    for position, sample in enumerate(samples):
        n, mean = len(sample), sample.mean(axis=0)
        draws = np.random.default_rng([seed, position]).multinomial(n, np.full(n, 1 / n), size=replicates)
        resampled.append(mean + small_sample_factor(n) * (draws @ sample / n - mean))
    low, high = np.quantile(statistic(*resampled), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(value, float(low), float(high))


def proportion(successes: int, cases: int) -> Estimate:
    """Share of cases that succeed, with the exact interval of Clopper and Pearson; 0 of 22 is [0, 0.154].

    Raises
    ------
    ValueError
        There is no case.
    """
    found = stats.binomtest(successes, cases).proportion_ci(LEVEL, method="exact")
    return Estimate(successes / cases, float(found.low), float(found.high))


def small_sample_factor(n: int) -> float:
    """How many times too narrow a bootstrap's interval for a mean of `n` is: sqrt(n / (n - 1)) t / z."""
    tail = (1 + LEVEL) / 2
    return float(np.sqrt(n / (n - 1)) * stats.t.ppf(tail, n - 1) / stats.norm.ppf(tail))


def interval(replicates: Array, reactions: int) -> tuple[float, float]:
    """Percentile interval at `LEVEL`, its quantiles further out the fewer the reactions."""
    tail = stats.norm.cdf(-small_sample_factor(reactions) * stats.norm.ppf((1 + LEVEL) / 2))
    low, high = np.quantile(replicates, [tail, 1 - tail])
    return float(low), float(high)
