"""Errors of models as numbers: RMSE (eqs. 3-5 of the paper) and MAE over all elements of a test set."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

KEYS = ["loss", "percent", "seed", "set", "quantity"]
"""What tells the numbers of one model apart."""


def root_mean_square(squared: NDArray[np.float64], count: NDArray[np.float64]) -> NDArray[np.float64]:
    """RMSE from sums of squared errors and the number of elements in them, elementwise."""
    return np.sqrt(squared / count)


def sums_by_structure(values: NDArray[np.float64], offsets: NDArray[np.int64]) -> NDArray[np.float64]:
    """Sums of the pieces between offsets (M + 1,), zero for an empty one."""
    sums = np.zeros(len(offsets) - 1)
    filled = np.diff(offsets) > 0
    if filled.any():
        sums[filled] = np.add.reduceat(values, offsets[:-1][filled])
    return sums


def summarize(errors: pd.DataFrame) -> pd.DataFrame:
    """RMSE and MAE of each model over all elements of a set.

    Parameters
    ----------
    errors
        Rows of errors tables.

    Returns
    -------
    DataFrame
        Columns loss, percent, seed, set, quantity; rmse and mae in kcal/mol, kcal/mol/Angstrom,
        kcal/mol/Angstrom^2.
    """
    sums = errors.groupby(KEYS, sort=False, observed=True)[["squared", "absolute", "count"]].sum()
    return pd.DataFrame(
        {
            "rmse": root_mean_square(sums["squared"].to_numpy(), sums["count"].to_numpy()),
            "mae": sums["absolute"] / sums["count"],
        }
    ).reset_index()
