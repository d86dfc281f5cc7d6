"""Errors of what predicts nothing, beside those of models."""

import pandas as pd

from hessbench.experiments.baselines.run.tables import BASELINES
from hessbench.experiments.errors.run.rmse import root_mean_square
from hessbench.results.reader import MissingResultsError, Results


def zero_rmse(results: Results) -> dict[tuple[str, str], float]:
    """RMSE of atomic energies alone, of zero forces and of zero Hessians, by test set and quantity.

    Empty where this run has no `BASELINES`: results of models can be shown without.
    """
    try:
        table = results.table(BASELINES)
    except MissingResultsError:
        return {}
    sums: pd.DataFrame = table.groupby(["set", "quantity"])[["squared", "count"]].sum()
    values = root_mean_square(sums["squared"].to_numpy(float), sums["count"].to_numpy(float))
    return {
        (str(test_set), str(quantity)): float(value)
        for (test_set, quantity), value in zip(sums.index, values, strict=True)
    }
