"""Comparison of tables with pinned values: joined on keys, each value with its own tolerance."""

import numpy as np
import pandas as pd

from hessbench.errors import HessbenchError

KEYS = ["table", "loss", "quantity"]
"""What identifies a value."""

WITHIN = "within"
WORSE = "worse"
BETTER = "better"
MISSING = "missing"
EXTRA = "extra"
UNIT = "unit differs"


def compare(found: pd.DataFrame, pinned: pd.DataFrame) -> pd.DataFrame:
    """Compare found with pinned RMSEs.

    Parameters
    ----------
    found
        Columns `KEYS`, unit, rmse; in any order of rows.
    pinned
        The same and rtol, atol; within tolerance is ``|found - pinned| <= atol + rtol |pinned|``.

    Returns
    -------
    DataFrame
        One row per key of either, sorted by key: `KEYS`, unit, found, pinned, deviation (found - pinned),
        tolerance, status. Status is ``within``; ``worse`` or ``better``, an error beyond tolerance larger or
        smaller than pinned; ``missing``, pinned but not found; ``extra``, found but not pinned; or
        ``unit differs``, in which case the numbers are not compared.

    Raises
    ------
    HessbenchError
        A key stands twice, or a number is not finite or a tolerance negative.
    """
    _check(found, "the tables", ["rmse"])
    _check(pinned, "the pinned values", ["rmse", "rtol", "atol"])
    joined = found[[*KEYS, "unit", "rmse"]].merge(
        pinned[[*KEYS, "unit", "rmse", "rtol", "atol"]],
        on=KEYS,
        how="outer",
        suffixes=("", "_pinned"),
        indicator=True,
    )
    deviation = joined["rmse"] - joined["rmse_pinned"]
    tolerance = joined["atol"] + joined["rtol"] * joined["rmse_pinned"].abs()
    status = np.select(
        [
            joined["_merge"] == "right_only",
            joined["_merge"] == "left_only",
            joined["unit"] != joined["unit_pinned"],
            deviation > tolerance,
            deviation < -tolerance,
        ],
        [MISSING, EXTRA, UNIT, WORSE, BETTER],
        WITHIN,
    )
    return (
        pd.DataFrame(
            {key: joined[key] for key in KEYS}
            | {
                "unit": joined["unit"].fillna(joined["unit_pinned"]),
                "found": joined["rmse"],
                "pinned": joined["rmse_pinned"],
                "deviation": deviation,
                "tolerance": tolerance,
                "status": status,
            }
        )
        .sort_values(KEYS, kind="stable")
        .reset_index(drop=True)
    )


def _check(frame: pd.DataFrame, what: str, numbers: list[str]) -> None:
    twice = frame.duplicated(KEYS)
    if twice.any():
        raise HessbenchError(f"{what} hold the row {_name(frame[twice])} twice; remove one.")
    for column in numbers:
        bad = ~np.isfinite(frame[column])
        if column != "rmse":
            bad |= frame[column] < 0
        if bad.any():
            raise HessbenchError(
                f"{what}, column {column}: {frame.loc[bad, column].iloc[0]} in row {_name(frame[bad])} "
                "is not a number that can be compared."
            )


def _name(rows: pd.DataFrame) -> str:
    return ", ".join(map(str, rows[KEYS].iloc[0]))
