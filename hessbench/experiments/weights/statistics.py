"""Errors by weights, and what E-F-H gains over E-F with the same ones."""

import pandas as pd

from hessbench.config import paper
from hessbench.experiments.weights.run.tables import OWN, WEIGHTS
from hessbench.results.reader import Results

BASE, WITH_HESSIANS = "E-F", "E-F-H"


def by_weights(results: Results) -> pd.DataFrame:
    """Mean error of each loss with each choice of weights.

    Returns
    -------
    DataFrame
        Columns set, quantity, unit, weights, loss, force_weight, `rmse` (mean over the models), `spread`
        (their sample standard deviation, empty for one), `models`.

    Raises
    ------
    HessbenchError
        The table is missing or cannot be used.
    """
    key = ["set", "quantity", "unit", "weights", "loss", "force_weight"]
    grouped = results.table(WEIGHTS).groupby(key, sort=False)["rmse"]
    return grouped.agg(rmse="mean", spread="std", models="count").reset_index()


def choices(results: Results) -> pd.DataFrame:
    """Weights that were tried, by ascending force weight of E-F-H.

    Returns
    -------
    DataFrame
        Columns weights, force_weight, hessian_weight (those of E-F-H), and `whose`: "paper", "profile",
        "paper and profile" or empty.

    Raises
    ------
    HessbenchError
        The table is missing or cannot be used.
    """
    rows = results.rows(WEIGHTS, results.table(WEIGHTS), loss=WITH_HESSIANS)
    pairs = rows[["weights", "force_weight", "hessian_weight"]].drop_duplicates("weights")
    published = (pairs["force_weight"] == paper.FORCE_WEIGHT) & (
        pairs["hessian_weight"] == paper.HESSIAN_WEIGHT
    )
    owners = zip(published, pairs["weights"] == OWN, strict=True)
    whose = [" and ".join(["paper"] * theirs + ["profile"] * ours) for theirs, ours in owners]
    return pairs.assign(whose=whose).sort_values("force_weight", ignore_index=True)


def gain(base: float, better: float) -> float:
    """By what share the second error is smaller than the first."""
    return 1 - better / base
