import numpy as np
import pandas as pd
import pytest
from scipy import stats

from hessbench.errors import HessbenchError
from hessbench.experiments.errors.statistics import (
    EnsembleErrors,
    ensemble_errors,
    estimate,
    mae,
    reaction_weights,
    replicates_of_rmse,
    rmse,
    spread,
)
from tests.synthetic_errors import errors_table


def ensemble(squared, counts, name="E"):
    squared, counts = np.atleast_2d(np.asarray(squared, float)), np.asarray(counts, float)
    reactions = tuple(f"r{i:03d}" for i in range(len(counts)))
    return EnsembleErrors(
        name, reactions, squared, np.sqrt(squared * counts), counts, np.ones(len(counts), int)
    )


def draw(generator, *, reactions, models, model_spread):
    """Two ensembles, the second wrong by 0.8 times as much, tested on the same 1-4 structures a reaction.

    Difficulty varies from reaction to reaction, and skill from model to model.
    """
    structures = generator.integers(1, 5, reactions)
    difficulty = generator.lognormal(0, 0.2, reactions)
    for name, factor in (("E", 1.0), ("E-F", 0.8)):
        skill = np.exp(model_spread * generator.standard_normal((models, 1)))
        noise = generator.chisquare(20 * structures, (models, reactions)) / 20
        yield ensemble((factor * skill * difficulty) ** 2 * noise, structures, name)


def test_rmse_and_mae_by_hand():
    # Two structures of one reaction, one of another; forces of 2 and 1 atoms: 6 and 3 elements.
    rows = pd.DataFrame(
        {
            "seed": [0, 0, 0, 1, 1, 1],
            "reaction": ["a", "a", "b"] * 2,
            "structure": [0, 1, 0] * 2,
            "squared": [6.0, 24.0, 3.0, 0.0, 0.0, 60.0],
            "absolute": [6.0, 12.0, 3.0, 0.0, 0.0, 12.0],
            "count": [6, 6, 3] * 2,
        }
    )
    errors = ensemble_errors(rows, "E-F")
    assert errors.reactions == ("a", "b")
    assert errors.structures.tolist() == [2, 1]
    np.testing.assert_allclose(rmse(errors), [np.sqrt(33 / 15), 2.0])
    np.testing.assert_allclose(mae(errors), [21 / 15, 12 / 15])


def test_sums_agree_with_all_elements_pooled():
    rows = errors_table({("irc", "force"): 7.0}, loss="ef")
    expected = [
        np.sqrt(group["squared"].sum() / group["count"].sum())
        for _, group in rows.sample(frac=1).groupby("seed")
    ]
    np.testing.assert_allclose(rmse(ensemble_errors(rows.sample(frac=1, random_state=1), "E-F")), expected)


def test_models_on_different_structures_are_refused():
    rows = errors_table({("irc", "force"): 7.0}, loss="ef")
    with pytest.raises(HessbenchError, match="same structures"):
        ensemble_errors(rows.iloc[:-1], "E-F")
    rows.loc[0, "count"] += 1
    with pytest.raises(HessbenchError, match="same structures"):
        ensemble_errors(rows, "E-F")


def test_spread_is_the_sample_standard_deviation():
    assert spread(np.array([1.0, 2.0, 4.0])) == pytest.approx(np.sqrt(7 / 3))
    assert spread(np.array([1.0])) is None


def test_weights_draw_each_reaction_equally_often():
    weights = reaction_weights(20, replicates=5000)
    assert (weights.sum(axis=1) == 20).all()
    np.testing.assert_allclose(weights.mean(axis=0), 1, atol=0.06)
    np.testing.assert_allclose(weights.var(axis=0), 1 - 1 / 20, atol=0.1)
    np.testing.assert_array_equal(weights, reaction_weights(20, replicates=5000))


def test_one_model_agrees_with_scipy():
    generator = np.random.default_rng(3)
    counts = generator.integers(1, 6, 80).astype(float)
    squared = counts * generator.lognormal(0, 1, 80)
    ours = replicates_of_rmse(ensemble(squared, counts), reaction_weights(80, replicates=20000))
    theirs = stats.bootstrap(
        (squared, counts),
        lambda s, n, axis: np.sqrt(s.sum(axis=axis) / n.sum(axis=axis)),
        paired=True,
        vectorized=True,
        n_resamples=20000,
        method="percentile",
        rng=np.random.default_rng(4),
    )
    assert ours.std() == pytest.approx(theirs.standard_error, rel=0.03)
    np.testing.assert_allclose(np.quantile(ours, [0.025, 0.975]), theirs.confidence_interval, rtol=0.01)


def test_models_alone_give_the_t_interval():
    # All reactions alike: only the models vary, and the interval must be about Student's.
    models = np.array([1.0, 1.02, 0.97, 1.05, 0.99, 1.01, 0.98, 1.03])
    errors = ensemble(np.repeat(models[:, None] ** 2, 400, axis=1), np.ones(400))
    found = estimate(lambda value: value, errors)
    expected = stats.t.interval(0.95, 7, models.mean(), models.std(ddof=1) / np.sqrt(8))
    assert found.value == pytest.approx(models.mean())
    np.testing.assert_allclose([found.low, found.high], expected, atol=0.004)


def test_what_is_hard_for_both_cancels_in_the_ratio():
    # The second ensemble is wrong by exactly twice as much everywhere: the ratio has no uncertainty.
    squared = np.random.default_rng(0).lognormal(0, 2, 50)
    found = estimate(
        lambda a, b: b / a, ensemble(squared, np.ones(50), "E"), ensemble(4 * squared, np.ones(50), "E-F")
    )
    assert (found.value, found.low, found.high) == pytest.approx((2, 2, 2))


def test_deterministic_and_independent_of_the_order_of_rows():
    rows = errors_table({("nms", "energy"): 3.0}, loss="e")
    first = estimate(lambda value: value, ensemble_errors(rows, "E"))
    again = estimate(lambda value: value, ensemble_errors(rows.sample(frac=1, random_state=5), "E"))
    assert (first.low, first.high) == pytest.approx((again.low, again.high), rel=1e-12)


def test_other_reactions_are_refused():
    with pytest.raises(HessbenchError, match="different structures"):
        estimate(lambda a, b: a / b, ensemble(np.ones(5), np.ones(5)), ensemble(np.ones(6), np.ones(6)))
    with pytest.raises(HessbenchError, match="single reaction"):
        estimate(lambda value: value, ensemble([1.0], [1.0]))


@pytest.mark.parametrize(("reactions", "models"), [(12, 3), (30, 2), (60, 5)])
def test_coverage_of_a_single_value_and_of_a_ratio(reactions, models):
    generator = np.random.default_rng([reactions, models])
    model_spread, trials = 0.05, 200
    # E[skill] sqrt(E[difficulty^2]): what an infinity of models and reactions would give.
    true = np.exp(model_spread**2 / 2) * np.exp(0.2**2)
    hits = ratio_hits = 0
    for _ in range(trials):
        first, second = draw(generator, reactions=reactions, models=models, model_spread=model_spread)
        found = estimate(lambda value: value, first, replicates=800)
        hits += found.low <= true <= found.high
        found = estimate(lambda a, b: b / a, first, second, replicates=800)
        ratio_hits += found.low <= 0.8 <= found.high
    assert 0.9 <= hits / trials <= 0.995
    assert ratio_hits / trials >= 0.9
