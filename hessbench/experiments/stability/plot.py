"""How far molecules can be heated before a model breaks them (sections 2.4 and 3.5)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from hessbench.experiments.stability.run.tables import STABILITY
from hessbench.plotting.figure import published_handle, published_marker
from hessbench.plotting.style import WARNING, in_order, published_key, style_of
from hessbench.results.published import Failure, Stability
from hessbench.results.reader import Results
from hessbench.results.store.tables import ResultsError

_DOT: dict[str, Any] = {"mfc": "black", "mec": "white", "mew": 0.3}
RUNS: dict[str, tuple[str, dict[str, Any]]] = {
    "failed": ("one model: failed here", _DOT | {"marker": "o", "ms": 2.2}),
    "censored": ("one model: cap reached unbroken", _DOT | {"marker": "^", "ms": 3.2}),
    "optimization failed": (
        "one model: optimization failed",
        {"marker": "x", "color": WARNING, "mew": 0.9, "ms": 3.0},
    ),
}
"""How a run ended, to its legend entry and look."""


def read(results: Results) -> pd.DataFrame:
    """Read the runs; a failed optimization counts as temperature and time 0, as in the paper.

    Raises
    ------
    ResultsError
        The table is broken, or holds a status that is not in `RUNS`.
    """
    columns = ["loss", "seed", "molecule", "status", "temperature_k", "time_fs", "cap_k"]
    table = results.table(STABILITY, columns)
    unknown = set(table["status"]) - set(RUNS)
    if unknown:
        raise ResultsError(
            results.path(STABILITY), f"unknown {sorted(unknown)}, expected one of {tuple(RUNS)}.", "status"
        )
    not_optimized = table["status"] == "optimization failed"
    table.loc[not_optimized, ["temperature_k", "time_fs"]] = 0.0
    for column in ("temperature_k", "time_fs"):
        if table[column].isna().any():
            raise ResultsError(results.path(STABILITY), "empty in a run that was heated.", column)
    return table


@dataclass(frozen=True)
class Quantity:
    """What the bars show: a column, what divides it, and the axis label."""

    column: str
    scale: float
    label: str


@dataclass(frozen=True)
class Bar:
    """A drawn bar: its place, its highest run, the published value, and the runs it stands for."""

    x: float
    top: float
    published: float | None
    runs: pd.DataFrame


LABEL_HEIGHT = 0.15
"""Length of the number above a bar in units of the axes' height."""
TEMPERATURE = Quantity("temperature_k", 1.0, "Temperature before failure (K)")
TIME = Quantity("time_fs", 1000.0, "Simulation time before failure (ps)")


def draw_bars(axes: Axes, table: pd.DataFrame, quantity: Quantity, published: Stability) -> list[Bar]:
    """Bars of the mean over models, with every model as a dot and the published value as a diamond.

    A run that reached the cap unbroken is a lower bound (triangle, and a "≥" before the time); one whose
    molecule could not be optimized stands at 0 as a cross.

    Returns
    -------
    list of Bar
        For `label_times`, once the limits of the axes are settled.
    """
    losses = in_order(table["loss"])
    molecules = sorted(table["molecule"].unique())
    width = 0.84 / len(losses)
    bars = []
    for k, loss in enumerate(losses):
        style = style_of(loss, losses)
        for place, molecule in enumerate(molecules):
            runs = table[(table["loss"] == loss) & (table["molecule"] == molecule)]
            if runs.empty:
                continue
            x = place + (k - (len(losses) - 1) / 2) * width
            values = runs[quantity.column].to_numpy() / quantity.scale
            axes.bar(
                x,
                values.mean(),
                width=width * 0.92,
                color=style.color,
                hatch=style.hatch,
                edgecolor="white",
                linewidth=0.3,
                alpha=0.85,
            )
            _draw_runs(axes, x, width, runs["status"].to_numpy(), values)
            value = None
            key = published_key(loss)
            expected = published_failure(published, molecule, key) if key else None
            if expected:
                value = expected.temperature if quantity is TEMPERATURE else expected.time / quantity.scale
                axes.plot(x, value, linestyle="none", **(published_marker(style.color) | {"markersize": 3.4}))
            bars.append(Bar(x, float(values.max()), value, runs))
    axes.set_xticks(
        range(len(molecules)), [name.replace("_", " ").capitalize() for name in molecules], fontsize=6
    )
    axes.set_xlim(-0.6, len(molecules) - 0.4)
    axes.set_ylabel(quantity.label)
    axes.grid(axis="x", visible=False)
    return bars


def _draw_runs(axes: Axes, x: float, width: float, statuses: np.ndarray, values: np.ndarray) -> None:
    offsets = np.linspace(-0.25, 0.25, len(values)) * width if len(values) > 1 else np.zeros(1)
    for status, value, offset in zip(statuses, values, offsets, strict=True):
        axes.plot(x + offset, value, linestyle="none", zorder=5, clip_on=False, **RUNS[status][1])


def label_times(axes: Axes, bars: list[Bar]) -> None:
    """Write the mean simulated time above each bar; above the published value where that is in the way."""
    for bar in bars:
        time = bar.runs["time_fs"].mean() / 1000
        bound = "≥ " if (bar.runs["status"] == "censored").any() else ""
        place = bar.top
        if bar.published is not None:
            gap = _height(axes, bar.published) - _height(axes, bar.top)
            if -0.02 < gap < LABEL_HEIGHT:
                place = max(bar.published, bar.top)
        axes.annotate(
            f"{bound}{time:.{0 if time >= 100 else 1}f} ps",
            (bar.x, place),
            xytext=(0, 5),
            textcoords="offset points",
            rotation=90,
            ha="center",
            va="bottom",
            fontsize=4.6,
            color=WARNING if time == 0 else "black",
            zorder=4,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 0.4},
        )


def _height(axes: Axes, value: float) -> float:
    """Height of a value in units of the axes' height."""
    return float((axes.transData + axes.transAxes.inverted()).transform((0, value))[1])


def published_failure(published: Stability, molecule: str, key: str) -> Failure | None:
    """Published value of a molecule, None if there is none; salicylic_acid finds the paper's "salicylic"."""
    for name, row in published.failure.items():
        if molecule.lower().startswith(name):
            failure: Failure = getattr(row, key)
            return failure
    return None


def handles(table: pd.DataFrame) -> list[Line2D | Patch]:
    """Legend entries of `draw_bars`, only those that occur."""
    losses = in_order(table["loss"])
    entries: list[Line2D | Patch] = []
    for loss in losses:
        style = style_of(loss, losses)
        count = table.loc[table["loss"] == loss, "seed"].nunique()
        label = f"{loss} (mean of {count})" if count > 1 else loss
        entries.append(Patch(facecolor=style.color, hatch=style.hatch, edgecolor="white", label=label))
    return [*entries, *run_handles(table), published_handle()]


def run_handles(table: pd.DataFrame) -> list[Line2D]:
    """Legend entries of the single runs, only those that occur; somewhat larger than in the figure."""
    found = set(table["status"])
    return [
        Line2D([], [], ls="", label=label, **(look | {"ms": look["ms"] + 0.8}))
        for status, (label, look) in RUNS.items()
        if status in found
    ]
