"""The paper's claims, each with the statistic that speaks for it.

A claim is judged in three columns and by one word (`hessbench.verification.verdicts`):

Direction
    Each finding has a 95 % interval, and a line where its number would lie without the effect: 1 for a ratio,
    0 for a gain in percent, one half for a share. ``reproduced`` when the whole interval of every finding
    lies on the claim's side, ``opposite`` when that of one lies on the other side, else ``undecided``. So of
    an effect that is not there at most 2.5 % of runs say ``reproduced``, and 2.5 % a finding ``opposite``.
Size
    ``consistent`` when the published number lies inside the interval, else ``smaller`` or ``larger``, with
    the quotient of the two. The published number is taken as it stands: what its ± means is not stated.
Testable
    ``yes``; ``limited`` when something keeps these results from a full test of the sentence; ``no`` when they
    are not there.
The word
    ``reproduced`` when direction is, and the size is not other than the sentence says: it may state a number
    (then the size must be consistent), a bound (larger is as good), or only an order (any size is).
    ``direction only`` when direction is reproduced and the size is another. ``not reproduced`` when the
    direction is opposite; ``undecided`` as the direction; ``not testable`` when there are no results.

Lines that are not the absence of an effect:

Most
    More than half.
Barrier within 1 kcal/mol
    The usual meaning of chemical accuracy; the paper's two barriers are off by 0.36 and 0.80.
Minimum at the TS
    The reference's own lowest mode has its minimum somewhere near the TS; on most paths (more than half) a
    model's is off from there by 5 % of the path's length at most.
About as stable
    Within the factor by which the temperatures of E-F and E differ in the paper's own Table S1.

Intervals are by bootstrap (`hessbench.results.statistics`), those of shares of molecules, bands and models
exact (Clopper and Pearson). The docstrings of the statistics say what is compared.
"""

from collections.abc import Callable

from hessbench.errors import ConfigurationError
from hessbench.experiments.registry import all_experiments, claims_of
from hessbench.results.evidence import Evidence
from hessbench.results.published import Published
from hessbench.results.reader import Results

Statistic = Callable[[Results], Evidence]

STATISTICS: dict[str, Statistic] = {
    claim: statistic for name in all_experiments() for claim, statistic in claims_of(name).items()
}
"""Claim of published.yaml to the function that gives its evidence."""


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
