import numpy as np
import pytest
from scipy import stats

from hessbench.results.statistics import estimate_from_means, small_sample_factor


def test_function_of_means_has_the_t_interval_and_no_bounds_for_one_unit():
    sample = np.random.default_rng(1).normal(5, 2, (40, 1))
    found = estimate_from_means(lambda means: means[..., 0], sample, replicates=20000)
    expected = stats.t.interval(0.95, 39, sample.mean(), stats.sem(sample[:, 0]))
    np.testing.assert_allclose([found.low, found.high], expected, rtol=0.01)
    alone = estimate_from_means(lambda means: means[..., 0], sample[:1])
    assert alone.value == sample[0, 0]
    assert (alone.low, alone.high) == (-np.inf, np.inf)


def test_small_sample_factor_goes_to_one():
    assert small_sample_factor(3) == pytest.approx(np.sqrt(3 / 2) * 4.302653 / 1.959964, rel=1e-6)
    assert small_sample_factor(100000) == pytest.approx(1, abs=1e-4)
