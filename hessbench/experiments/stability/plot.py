"""How far molecules can be heated before a model breaks them (sections 2.4 and 3.5)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from hessbench.config.loss_labels import PAPER_LABELS, REFERENCE
from hessbench.experiments.stability.run.tables import STABILITY
from hessbench.plotting.figure import published_marker
from hessbench.plotting.style import WARNING, Style, in_order, published_key, style_of
from hessbench.results.published import Failure, Stability
from hessbench.results.reader import Results
from hessbench.results.store.tables import ResultsError, Table

_DOT: dict[str, Any] = {"mfc": "black", "mec": "white", "mew": 0.3}
RUNS: dict[str, tuple[str, dict[str, Any]]] = {
    "failed": ("one run: failed here", _DOT | {"marker": "o", "ms": 2.2}),
    "close contact": ("one run: atoms collided", _DOT | {"marker": "s", "ms": 2.4}),
    "censored": ("one run: cap reached unbroken", _DOT | {"marker": "^", "ms": 3.2}),
    "optimization failed": (
        "one run: optimization failed",
        {"marker": "x", "color": WARNING, "mew": 0.9, "ms": 3.0},
    ),
}
"""How a run ended, to its legend entry and look."""


def read(results: Results, of: Table = STABILITY) -> pd.DataFrame:
    """Read the runs of a table; a failed optimization counts as temperature and time 0, as in the paper.

    Raises
    ------
    ResultsError
        The table is broken, or holds a status that is not in `RUNS`.
    """
    columns = [
        "loss",
        "seed",
        "molecule",
        "replica",
        "status",
        "temperature_k",
        "time_fs",
        "cap_k",
        "rate_k_per_ps",
    ]
    table = results.table(of, columns)
    unknown = set(table["status"]) - set(RUNS)
    if unknown:
        raise ResultsError(
            results.path(of), f"unknown {sorted(unknown)}, expected one of {tuple(RUNS)}.", "status"
        )
    not_optimized = table["status"] == "optimization failed"
    table.loc[not_optimized, ["temperature_k", "time_fs"]] = 0.0
    for column in ("temperature_k", "time_fs"):
        if table[column].isna().any():
            raise ResultsError(results.path(of), "empty in a run that was heated.", column)
    return table


@dataclass(frozen=True)
class Quantity:
    """What the bars show: a column, what divides it, and the axis label."""

    column: str
    scale: float
    label: str


@dataclass(frozen=True)
class Bar:
    """A drawn bar: its place, its highest run, and the runs it stands for."""

    x: float
    top: float
    runs: pd.DataFrame


TEMPERATURE = Quantity("temperature_k", 1.0, "Temperature before failure (K)")
TIME = Quantity("time_fs", 1000.0, "Time before failure (ps)")
GROUP = 0.84
"""Width of the bars of one molecule, molecules being 1 apart."""


def draw_bars(axes: Axes, table: pd.DataFrame) -> list[Bar]:
    """Bars of the mean temperature over the runs with every run as a mark, and lines of the reference.

    A run that reached the cap unbroken is a lower bound (triangle, and a "≥" before the time); one whose
    molecule could not be optimized stands at 0 as a cross.

    Returns
    -------
    list of Bar
        For `label_times`, once the limits of the axes are settled.
    """
    bars = []
    for x, width, style, runs in _groups(axes, table):
        values = runs[TEMPERATURE.column].to_numpy()
        axes.bar(x, values.mean(), width=width * 0.92, color=style.color, hatch=style.hatch, **BAR)
        _draw_runs(axes, x, width, runs["status"].to_numpy(), values)
        bars.append(Bar(x, float(values.max()), runs))
    _draw_reference(axes, table, TEMPERATURE)
    axes.set_ylabel(TEMPERATURE.label)
    return bars


def draw_points(axes: Axes, table: pd.DataFrame, quantity: Quantity) -> None:
    """Mean over the runs as a mark in the look of its loss, with every run as a small one; for any scale."""
    for x, width, style, runs in _groups(axes, table):
        values = runs[quantity.column].to_numpy() / quantity.scale
        axes.plot(x, values.mean(), marker=style.marker, color=style.color, ms=5, ls="none", zorder=4)
        _draw_runs(axes, x, width, runs["status"].to_numpy(), values)
    _draw_reference(axes, table, quantity)
    axes.set_ylabel(quantity.label)


def draw_published(axes: Axes, published: Stability, quantity: Quantity, *, bars: bool) -> None:
    """The paper's values of Table S1, in a panel of their own because it heats at another rate."""
    molecules = sorted(published.failure)
    width = GROUP / len(PAPER_LABELS)
    for k, loss in enumerate(PAPER_LABELS):
        key, style = published_key(loss), style_of(loss, PAPER_LABELS)
        failures = [getattr(published.failure[molecule], str(key)) for molecule in molecules]
        values = [
            item.temperature if quantity is TEMPERATURE else item.time / quantity.scale for item in failures
        ]
        places = np.arange(len(molecules)) + (k - (len(PAPER_LABELS) - 1) / 2) * width
        if bars:
            axes.bar(
                places,
                values,
                width=width * 0.92,
                facecolor="white",
                edgecolor=style.color,
                hatch=style.hatch,
            )
        else:
            axes.plot(places, values, ls="none", **published_marker(style.color))
    _name_molecules(axes, molecules)
    axes.set_ylabel(quantity.label)


def draw_survival(axes: Axes, table: pd.DataFrame) -> None:
    """Share of the runs that have not failed against the temperature: Kaplan-Meier.

    All runs are censored at one temperature, the cap, so that below it the estimate is the share itself;
    lines end at the cap. Runs whose optimization failed are lost from the beginning.
    """
    losses = in_order(table["loss"])
    for loss in [*losses, *({REFERENCE} & set(table["loss"]))]:
        runs = table[table["loss"] == loss]
        style = style_of(loss, losses)
        ends = np.sort(runs.loc[runs["status"] != "censored", "temperature_k"].to_numpy())
        shares = 1 - np.arange(len(ends) + 1) / len(runs)
        axes.step(
            [0.0, *ends, runs["cap_k"].max()],
            [*shares, shares[-1]] if len(ends) else [1.0, 1.0],
            where="post",
            color=style.color,
            ls=style.line,
            lw=1.2,
        )
    axes.set_xlim(left=0)
    axes.set_ylim(-0.03, 1.05)
    axes.set_xlabel("Temperature (K)")
    axes.set_ylabel("Share of runs unbroken")


BAR: dict[str, Any] = {"edgecolor": "white", "linewidth": 0.3, "alpha": 0.85}


def _groups(axes: Axes, table: pd.DataFrame) -> Iterator[tuple[float, float, Style, pd.DataFrame]]:
    """Place and width of each loss of each molecule, its look, and its runs; names the molecules below."""
    losses = in_order(table["loss"])
    molecules = sorted(table["molecule"].unique())
    _name_molecules(axes, molecules)
    width = GROUP / len(losses)
    for k, loss in enumerate(losses):
        for place, molecule in enumerate(molecules):
            runs = table[(table["loss"] == loss) & (table["molecule"] == molecule)]
            if not runs.empty:
                yield place + (k - (len(losses) - 1) / 2) * width, width, style_of(loss, losses), runs


def _name_molecules(axes: Axes, molecules: list[str]) -> None:
    names = [name.replace("_", " ").capitalize() for name in molecules]
    axes.set_xticks(range(len(molecules)), names, fontsize=6)
    axes.set_xlim(-0.6, len(molecules) - 0.4)
    axes.grid(axis="x", visible=False)


def _draw_reference(axes: Axes, table: pd.DataFrame, quantity: Quantity) -> None:
    """A line across each molecule where the reference ended; dotted where it was whole at its cap."""
    molecules = sorted(table["molecule"].unique())
    for row in table[table["loss"] == REFERENCE].to_dict("records"):
        place = molecules.index(row["molecule"])
        value = row[quantity.column] / quantity.scale
        whole = row["status"] == "censored"
        axes.plot(
            [place - GROUP / 2, place + GROUP / 2],
            [value, value],
            color="black",
            lw=1.1,
            ls=(0, (1, 1)) if whole else "-",
            zorder=5,
        )


def _draw_runs(axes: Axes, x: float, width: float, statuses: np.ndarray, values: np.ndarray) -> None:
    offsets = np.linspace(-0.25, 0.25, len(values)) * width if len(values) > 1 else np.zeros(1)
    for status, value, offset in zip(statuses, values, offsets, strict=True):
        axes.plot(x + offset, value, linestyle="none", zorder=5, clip_on=False, **RUNS[status][1])


def label_times(axes: Axes, bars: list[Bar]) -> None:
    """Write the mean simulated time above each bar."""
    for bar in bars:
        time = bar.runs["time_fs"].mean() / 1000
        bound = "≥ " if (bar.runs["status"] == "censored").any() else ""
        axes.annotate(
            f"{bound}{time:.{0 if time >= 100 else 1}f} ps",
            (bar.x, bar.top),
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


def published_failure(published: Stability, molecule: str, key: str) -> Failure | None:
    """Published value of a molecule, None if there is none; salicylic_acid finds the paper's "salicylic"."""
    for name, row in published.failure.items():
        if molecule.lower().startswith(name):
            failure: Failure = getattr(row, key)
            return failure
    return None


def handles(table: pd.DataFrame, *, bars: bool = True) -> list[Line2D | Patch]:
    """Legend entries of `draw_bars`, or of `draw_points`, only those that occur."""
    losses = in_order(table["loss"])
    entries: list[Line2D | Patch] = []
    for loss in losses:
        style = style_of(loss, losses)
        count = len(table[table["loss"] == loss].drop_duplicates(["seed", "replica"]))
        label = f"{loss} (mean of {count} runs)" if count > 1 else loss
        if bars:
            entries.append(Patch(facecolor=style.color, hatch=style.hatch, edgecolor="white", label=label))
        else:
            entries.append(Line2D([], [], ls="", marker=style.marker, color=style.color, label=label))
    return [*entries, *run_handles(table), *reference_handles(table)]


def run_handles(table: pd.DataFrame) -> list[Line2D]:
    """Legend entries of the single runs of models, only those that occur; larger than in the figure."""
    found = set(table.loc[table["loss"] != REFERENCE, "status"])
    return [
        Line2D([], [], ls="", label=label, **(look | {"ms": look["ms"] + 0.8}))
        for status, (label, look) in RUNS.items()
        if status in found
    ]


def reference_handles(table: pd.DataFrame) -> list[Line2D]:
    """Legend entries of the reference's lines, only those that occur."""
    reference = table[table["loss"] == REFERENCE]
    whole = reference["status"] == "censored"
    entries = []
    for chosen, line, word in (
        (reference[~whole], "-", "failed here"),
        (reference[whole], (0, (1, 1)), "whole at its cap"),
    ):
        if len(chosen):
            rate = chosen["rate_k_per_ps"].max()
            label = f"reference at {rate:.3g} K/ps: {word}"
            entries.append(Line2D([], [], color="black", lw=1.1, ls=line, label=label))
    return entries


def rate_text(table: pd.DataFrame) -> str:
    """Rate at which the models were heated, such as 50 K/ps."""
    return f"{table.loc[table['loss'] != REFERENCE, 'rate_k_per_ps'].max():.3g} K/ps"
