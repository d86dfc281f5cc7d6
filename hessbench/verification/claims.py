"""The paper's claims, each with the statistic that speaks for it and the threshold where it stops to hold.

Findings have 95 % intervals (bootstrap: `hessbench.results.statistics`). A claim is reproduced when all its
findings lie beyond their thresholds with their whole intervals, not reproduced when one lies on the wrong
side with its whole interval, and undecided otherwise. The thresholds:

Order ("A < B < C")
    Each pair's ratio of the larger to the smaller RMSE lies above 1; all pairs are looked at, not only
    neighbours.
Gap ("at least 10 times")
    The ratio lies above 10; above 9.5, which rounds to 10, where the text says "about 10 times".
Gain ("31.3 % below")
    The text states a size, which other data at another level of theory will not repeat to the digit; its
    direction alone would be too cheap. So the reduction lies above half of the published one;
    whether the published size lies inside the interval, the columns tell.
Factor ("nearly 2 times")
    The ratio lies above 1.5, halfway between no gain and the factor.
Match ("matches", "nearly matches")
    The RMSE is less than 5 % above the other, or 10 % for "nearly": the ratio of the other to it lies above
    1 / 1.05 or 1 / 1.10. The paper shows these in Figure S17 and prints no numbers.
Most of the points near the TS below it, only E-F-H
    The share of E-F-H lies above three quarters, those of E and E-F below: halfway between all and the half
    that a model with a slope and no curvature puts below.
Only E-F-H converges
    The share of converged bands lies above one half for E-F-H, below it for E and E-F.
Every
    The number of cases lies above all but one half.
About 25 times, about 5 orders of magnitude
    The ratio lies within a factor of 2 of 25; above half a decade below 5 decades.

The docstrings of the statistics say what is compared.
"""

from collections.abc import Callable

from hessbench.errors import ConfigurationError
from hessbench.experiments.registry import all_experiments, claims_of
from hessbench.results.evidence import Finding
from hessbench.results.published import Published
from hessbench.results.reader import Results

Statistic = Callable[[Results], list[Finding]]

STATISTICS: dict[str, Statistic] = {
    claim: statistic for name in all_experiments() for claim, statistic in claims_of(name).items()
}
"""Claim of published.yaml to the function that gives its findings."""


def check_complete(published: Published) -> None:
    """Make sure that claims and statistics match one to one.

    Raises
    ------
    ConfigurationError
        published.yaml names a claim without statistic, or lacks one that has a statistic.
    """
    unknown = sorted(published.claims.keys() ^ STATISTICS.keys())
    if unknown:
        raise ConfigurationError(
            f"claims: {', '.join(unknown)} must stand both in reproduce/published.yaml and, as the name of a "
            "statistic, in hessbench/experiments/*/claims.py."
        )
