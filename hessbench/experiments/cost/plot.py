"""Errors against the processor time of the training."""

import pandas as pd
from matplotlib.axes import Axes

from hessbench.plotting.axes import plain_log
from hessbench.plotting.style import in_order, style_of


def draw_errors(axes: Axes, found: pd.DataFrame, quantity: str) -> None:
    """RMSE of each loss against processor seconds, trainings of different length joined by a line.

    Parameters
    ----------
    axes
        Where to.
    found
        See `hessbench.experiments.cost.statistics.by_cost`.
    quantity
        What to draw.
    """
    chosen = found[found["quantity"] == quantity]
    losses = in_order(chosen["loss"])
    for loss in losses:
        style, rows = style_of(loss, losses), chosen[chosen["loss"] == loss].sort_values("cpu_seconds")
        axes.errorbar(
            rows["cpu_seconds"],
            rows["rmse"],
            yerr=rows["spread"].fillna(0.0),
            color=style.color,
            marker=style.marker,
            ls=style.line,
            label=loss,
            elinewidth=0.8,
        )
    plain_log(axes)
    axes.set_xlim(left=0)
