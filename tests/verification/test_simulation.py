"""Seeded simulations of the rule: how often an effect that is there is found, and one that is not."""

import numpy as np
import pytest

from hessbench.results.evidence import Evidence, Finding
from hessbench.results.statistics import estimate_from_means, proportion
from hessbench.verification.verdicts import judge

RUNS = 400
MODELS = 8
"""Models of each of two losses."""
REPLICATES = 1000


def direction(generator: np.random.Generator, ratio: float) -> str:
    """Errors of two losses whose means stand in this ratio, models spread by 5 %."""
    first, second = (mean * generator.normal(1, 0.05, (MODELS, 1)) for mean in (ratio, 1.0))
    found = estimate_from_means(lambda a, b: a[..., 0] / b[..., 0], first, second, replicates=REPLICATES)
    return judge(Evidence([Finding("ratio", found, 1.0)])).direction


def frequency(word: str, ratio: float) -> float:
    generator = np.random.default_rng(20250307)
    return float(np.mean([direction(generator, ratio) == word for _ in range(RUNS)]))


@pytest.mark.slow
def test_a_known_effect_is_reproduced_in_95_percent_of_runs() -> None:
    """Four standard errors of the difference: 5 % sqrt(2 / 8) = 2.5 %."""
    assert frequency("reproduced", 1.15) >= 0.95
    assert frequency("opposite", 1 / 1.15) >= 0.95


@pytest.mark.slow
def test_without_effect_95_percent_of_runs_are_undecided() -> None:
    """Within four standard errors of the 95 % that the interval states: sqrt(0.95 x 0.05 / 400) = 1.1 %."""
    assert frequency("undecided", 1.0) == pytest.approx(0.95, abs=0.044)


def test_wins_of_a_coin_are_undecided_at_least_as_often_as_stated() -> None:
    """The exact interval never says more: of ten coins nine or more heads, or tails, are 2.1 %."""
    wins = np.random.default_rng(0).binomial(10, 0.5, RUNS)
    words = [judge(Evidence([Finding("share", proportion(int(k), 10), 0.5)])).direction for k in wins]
    assert words.count("undecided") / RUNS == pytest.approx(1 - 22 / 1024, abs=0.03)
    assert words.count("undecided") / RUNS >= 0.95


def test_the_interval_of_a_share_is_exact() -> None:
    """0 of 22: the share at which none of 22 happens in 2.5 % of cases."""
    found = proportion(0, 22)
    assert (found.value, found.low) == (0, 0)
    assert found.high == pytest.approx(1 - 0.025 ** (1 / 22))
