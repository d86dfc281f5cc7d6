"""Errors of wavenumbers, and what the lowest modes say, by loss."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from hessbench.plotting.style import in_order, style_of

WIDTH = 0.5
"""Over which the losses of one metric are spread, metrics being 1 apart."""


def draw_metrics(axes: Axes, found: pd.DataFrame, test_set: str, metrics: Sequence[str]) -> None:
    """Means with intervals, a group of points for each metric, in the order given.

    Parameters
    ----------
    found
        From `hessbench.experiments.curvature.statistics.estimates`.
    test_set, metrics
        What to draw; a metric that the set does not have leaves a gap.
    """
    losses = in_order(found["loss"].unique())
    offsets = np.linspace(-WIDTH / 2, WIDTH / 2, len(losses)) if len(losses) > 1 else [0.0]
    for loss, offset in zip(losses, offsets, strict=True):
        rows = found[(found["set"] == test_set) & (found["loss"] == loss)].set_index("metric")
        rows = rows.loc[[name for name in metrics if name in rows.index]]
        places = np.array([metrics.index(name) for name in rows.index]) + offset
        bounded = np.isfinite(rows["low"]) & np.isfinite(rows["high"])
        below = (rows["value"] - rows["low"]).where(bounded, 0.0).clip(lower=0.0)
        above = (rows["high"] - rows["value"]).where(bounded, 0.0).clip(lower=0.0)
        style = style_of(loss, losses)
        axes.errorbar(
            places,
            rows["value"],
            yerr=[below, above],
            color=style.color,
            marker=style.marker,
            ls="none",
            elinewidth=0.8,
            zorder=4,
        )
    axes.set_xlim(-0.6, len(metrics) - 0.4)
    for edge in range(1, len(metrics)):
        axes.axvline(edge - 0.5, color="0.85", lw=0.6, zorder=1)
