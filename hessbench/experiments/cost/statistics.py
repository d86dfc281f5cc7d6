"""Errors and processor time of each loss, and in a sentence what probes buy."""

import pandas as pd

from hessbench.experiments.cost.run.tables import COST
from hessbench.results.reader import Results
from hessbench.results.store.names import QUANTITIES

EXACT, WITHOUT = "E-F-H", "E-F"


def by_cost(results: Results) -> pd.DataFrame:
    """Means over the models.

    Returns
    -------
    DataFrame
        Columns loss, length, epochs, quantity, unit, `rmse`, `spread` (sample standard deviation, empty for
        one model), `cpu_seconds`, `models`.

    Raises
    ------
    HessbenchError
        The table is missing or cannot be used.
    """
    key = ["loss", "length", "epochs", "quantity", "unit"]
    grouped = results.table(COST).groupby(key, sort=False)
    return grouped.agg(
        rmse=("rmse", "mean"),
        spread=("rmse", "std"),
        cpu_seconds=("cpu_seconds", "mean"),
        models=("rmse", "count"),
    ).reset_index()


def sentence(found: pd.DataFrame) -> str:
    """Say what estimates of the Hessian's error buy: time and errors over those of E-F-H, equal steps.

    Parameters
    ----------
    found
        See `by_cost`.
    """
    longest = found[found["length"] == found["length"].max()].set_index(["quantity", "loss"])
    exact = longest.xs(EXACT, level="loss")
    parts = []
    for loss in found["loss"].unique():
        if loss in (EXACT, WITHOUT):
            continue
        own = longest.xs(loss, level="loss")
        time = own["cpu_seconds"].iloc[0] / exact["cpu_seconds"].iloc[0]
        errors = own["rmse"] / exact["rmse"]
        shown = ", ".join(f"{errors[quantity]:.2f}" for quantity in QUANTITIES)
        parts.append(f"{loss.partition(', ')[2]} {time:.2f} ({shown})")
    return (
        f"Processor time of E-F-HVP over that of {EXACT} after equal steps, and in brackets its errors of "
        f"energy, force and Hessian over those of {EXACT}: {'; '.join(parts)}."
    )
