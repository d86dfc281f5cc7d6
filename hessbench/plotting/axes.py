"""Axes that several figures have."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, NullFormatter, StrMethodFormatter

from hessbench.plotting.style import Style


def draw_spread(
    axes: Axes, x: pd.Series, mean: pd.Series, spread: pd.Series, style: Style, label: str, **look: Any
) -> None:
    """Means of one loss joined by a line, standard deviations as bars; `look` overrides the style."""
    axes.errorbar(
        x,
        mean,
        yerr=spread,
        **{"color": style.color, "marker": style.marker, "ls": style.line, **look},
        label=label,
        elinewidth=0.8,
        zorder=4,
    )


def plain_log(axes: Axes) -> None:
    """Logarithmic ordinate whose ticks are written as plain numbers."""
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    factors: tuple[float, ...] = (1, 2, 5)
    if high / low > 1000:
        factors = (1,)
    elif high / low < 2.5:
        factors = (1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9)
    elif high / low < 12:
        factors = (1, 1.5, 2, 3, 4, 5, 6, 8)
    steps = [factor * 10.0**power for power in range(-6, 9) for factor in factors]
    if high / low < 1.5:
        steps = list(MaxNLocator(5).tick_values(low, high))
    axes.set_yticks([step for step in steps if low <= step <= high])
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
