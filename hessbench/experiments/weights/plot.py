"""Errors against the weights of force and Hessian in the loss."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from hessbench.plotting.axes import draw_spread, plain_log
from hessbench.plotting.style import in_order, style_of

LINES = {"paper": (0, (1, 1.5)), "profile": (0, (5, 2))}
"""Look of the lines at the weights of the paper and of the profile."""


def draw_errors(axes: Axes, found: pd.DataFrame, test_set: str, quantity: str) -> None:
    """RMSE of each loss against its force weight, mean and standard deviation over models.

    Parameters
    ----------
    found
        See `hessbench.experiments.weights.statistics.by_weights`.
    test_set, quantity
        What to draw.
    """
    chosen = found[(found["set"] == test_set) & (found["quantity"] == quantity)]
    losses = in_order(chosen["loss"])
    for loss in losses:
        style = style_of(loss, losses)
        rows = chosen[chosen["loss"] == loss].sort_values("force_weight")
        draw_spread(axes, rows["force_weight"], rows["rmse"], rows["spread"].fillna(0.0), style, loss)
    plain_log(axes)


def mark_choices(axes: Axes, tried: pd.DataFrame) -> None:
    """Logarithmic axis with a tick at each choice of weights, and lines at those of paper and profile.

    Parameters
    ----------
    tried
        See `hessbench.experiments.weights.statistics.choices`.
    """
    axes.set_xscale("log")
    forces, hessians = tried["force_weight"], tried["hessian_weight"]
    labels = [f"{force:g}\n{hessian:g}" for force, hessian in zip(forces, hessians, strict=True)]
    axes.set_xticks(forces, labels)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.margins(x=0.12)
    for owner, line in LINES.items():
        for force in forces[[owner in whose for whose in tried["whose"]]]:
            axes.axvline(force, color="0.5", lw=0.8, ls=line, zorder=1)


def choice_handles(profile: str) -> list[Line2D]:
    """Legend entries of the lines of `mark_choices`."""
    names = {"paper": "the paper's weights", "profile": f"those of profile {profile}"}
    return [Line2D([], [], color="0.5", lw=0.8, ls=LINES[key], label=name) for key, name in names.items()]
