"""Errors and training time against the amount of training data (section 3.8)."""

from collections.abc import Iterable
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from hessbench.experiments.baselines.errors import zero_rmse
from hessbench.experiments.epoch_cost.run.tables import EPOCH_COST
from hessbench.experiments.errors.ensembles import PUBLISHED_PERCENT, ensemble_results, ensembles
from hessbench.experiments.errors.statistics import estimate
from hessbench.plotting.axes import draw_spread, plain_log
from hessbench.plotting.figure import loss_handles, published_handle, published_marker
from hessbench.plotting.style import QUANTITY_LABELS, UNIT_LABELS, in_order, published_key, style_of
from hessbench.results.reader import Results
from hessbench.results.store.tables import ResultsError

HALF: dict[str, Any] = {
    "color": "0.25", "ls": ":", "lw": 1.0, "marker": "|", "ms": 6, "markevery": [0], "zorder": 5,
}  # fmt: skip
"""Look of the lines of `draw_half`."""
ZERO: dict[str, Any] = {"color": "0.45", "ls": (0, (1, 2)), "lw": 1.0, "zorder": 1}
"""Look of the error of what predicts nothing."""
INTERVAL: dict[str, Any] = {"lw": 3.0, "alpha": 0.3, "zorder": 2}
"""Look of the 95 % intervals over reactions and models."""
DATA_LABEL = "Share of the data trained on (%)"
CLOSE = 1.4
"""Ratio of two shares of the data below which their labels would touch."""
EXACT, LOOP = "exact", "autograd loop"


def summarize(table: pd.DataFrame, value: str, by: list[str]) -> pd.DataFrame:
    """Mean, sample standard deviation (0 for a single value) and number of values in each group."""
    summary = table.groupby(by)[value].agg(["mean", "std", "count"]).reset_index()
    return summary.assign(std=summary["std"].fillna(0.0))


def draw_rmse(axes: Axes, rmse: pd.DataFrame, test_set: str, quantity: str, results: Results) -> pd.DataFrame:
    """RMSE of every loss against the share of the data; mean and standard deviation over models.

    Pale bars are 95 % intervals over reactions and models, the dotted line what predicts nothing:
    `hessbench.experiments.baselines`.

    Returns
    -------
    DataFrame
        What is drawn: columns loss, percent, mean, std, count.
    """
    chosen = rmse[(rmse["set"] == test_set) & (rmse["quantity"] == quantity)]
    summary = summarize(chosen, "rmse", ["loss", "percent"])
    losses = in_order(summary["loss"])
    for loss in losses:
        style = style_of(loss, losses)
        rows = summary[summary["loss"] == loss]
        draw_spread(axes, rows["percent"], rows["mean"], rows["std"], style, loss)
        key = published_key(loss)
        if key:
            cell = results.published.cell(test_set, key, quantity)
            axes.errorbar(
                PUBLISHED_PERCENT,
                cell.rmse,
                yerr=cell.spread,
                ls="",
                elinewidth=0.8,
                ecolor=style.color,
                **published_marker(style.color),
            )
    for part in ensembles(results).values():
        tested = ensemble_results(results, part)
        errors = tested.errors.get((test_set, quantity))
        if errors is not None and tested.label in losses and len(errors.reactions) > 1:
            interval = estimate(lambda value: value, errors)
            color = style_of(tested.label, losses).color
            axes.vlines(tested.percent, interval.low, interval.high, color=color, **INTERVAL)
    axes.set_ylabel(f"{QUANTITY_LABELS[quantity]} RMSE ({UNIT_LABELS[quantity]})")
    zero = zero_rmse(results).get((test_set, quantity))
    if zero is not None:
        axes.axhline(zero, **ZERO)
    data_axis(axes, summary["percent"].unique())
    plain_log(axes)
    return summary


def zero_handles(results: Results) -> list[Line2D]:
    """Legend entry of the line of what predicts nothing; none where it is not drawn."""
    return [Line2D([], [], label="predicting nothing", **ZERO)] if zero_rmse(results) else []


def rmse_handles(rmse: pd.DataFrame, results: Results) -> list[Any]:
    """Legend entries of `draw_rmse`: losses, the paper, what predicts nothing, intervals."""
    interval = Line2D([], [], color="0.3", label="95 % over reactions and models", **INTERVAL)
    losses = loss_handles(in_order(rmse["loss"]))
    return [*losses, published_handle(), *zero_handles(results), interval]


def data_axis(axes: Axes, percents: Iterable[int]) -> None:
    """Logarithmic axis of the share of the data, ticks where there are results."""
    axes.set_xscale("log")
    ticks = sorted({int(percent) for percent in percents})
    axes.set_xticks(ticks, _labels(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel(DATA_LABEL)


def _labels(ticks: list[int]) -> list[str]:
    """Labels of ticks on a logarithmic axis, none where it would touch the next; the largest has one."""
    labels = [str(tick) for tick in ticks]
    shown = ticks[-1]
    for k in range(len(ticks) - 2, -1, -1):
        if shown / ticks[k] < CLOSE:
            labels[k] = ""
        else:
            shown = ticks[k]
    return labels


def draw_epoch_cost(
    axes: Axes, results: Results, *, engines: tuple[str, ...] = (EXACT, LOOP)
) -> pd.DataFrame:
    """Time of an epoch against the share of the data; filled: exact engine, open: the paper's autograd loop.

    The published factor is a grey line, not points, because the paper states no time: so many times the time
    of E-F in the autograd loop.

    Returns
    -------
    DataFrame
        Columns loss, engine, percent, mean, std, count.
    """
    columns = ["loss", "engine", "percent", "repeat", "seconds"]
    table = results.table(EPOCH_COST, columns)
    if (table["seconds"] <= 0).any():
        raise ResultsError(results.path(EPOCH_COST), "a time that is not positive.", "seconds")
    summary = summarize(table, "seconds", ["loss", "engine", "percent"])
    losses = in_order(summary["loss"])
    for engine in engines:
        for loss in losses:
            rows = summary[(summary["loss"] == loss) & (summary["engine"] == engine)]
            if rows.empty:
                continue
            style = style_of(loss, losses)
            look = {"ls": "-", "mfc": style.color} if engine == EXACT else {"ls": ":", "mfc": "white"}
            label = f"{loss}, {engine}"
            draw_spread(axes, rows["percent"], rows["mean"], rows["std"], style, label, **look)
    loop = summary[(summary["loss"] == "E-F") & (summary["engine"] == LOOP)]
    base = loop if not loop.empty else summary[summary["loss"] == "E-F"]
    times = base["mean"] * results.published.epoch_cost.ratio
    axes.plot(base["percent"], times, color="0.5", ls="--", lw=0.9)
    axes.set_ylabel("Time per epoch (s)")
    data_axis(axes, summary["percent"].unique())
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    axes.set_ylim(low, high * (high / low) ** 0.2)
    plain_log(axes)
    return summary


def cost_ratios(summary: pd.DataFrame) -> dict[str, float]:
    """Time of an E-F-H epoch over that of an E-F epoch at the largest common training set, by engine."""
    ratios = {}
    for engine, rows in summary.groupby("engine"):
        table = rows.pivot_table(index="percent", columns="loss", values="mean")
        if {"E-F", "E-F-H"} <= set(table.columns):
            last = table[["E-F", "E-F-H"]].dropna().iloc[-1]
            ratios[str(engine)] = float(last["E-F-H"] / last["E-F"])
    return ratios


def draw_level(axes: Axes, summary: pd.DataFrame, loss: str) -> None:
    """Dotted line through the whole axis at the error of a loss with the most data."""
    rows = summary[summary["loss"] == loss].sort_values("percent")
    level = rows["mean"].iloc[-1]
    axes.axhline(level, color=style_of(loss).color, ls=":", lw=0.9, zorder=1)
    axes.annotate(
        f"{loss} with {rows['percent'].iloc[-1]} %",
        (0.01, level),
        xycoords=("axes fraction", "data"),
        xytext=(0, 1.5),
        textcoords="offset points",
        fontsize=5.5,
        color=style_of(loss).color,
    )


def draw_half(axes: Axes, summary: pd.DataFrame, loss: str, percent: int) -> bool:
    """Line from a loss's error with so much data to half of that, if both were trained; says whether."""
    rows = summary[(summary["loss"] == loss) & (summary["percent"] == percent)]
    if rows.empty or percent // 2 not in set(summary["percent"]):
        return False
    level = rows["mean"].iloc[0]
    axes.plot([percent / 2, percent], [level, level], **HALF)
    return True


def half_handle(loss: str) -> Line2D:
    """Legend entry of the lines of `draw_half`."""
    return Line2D([], [], label=f"from {loss} to half its data", **HALF)


def engine_handles(panel: str) -> list[Line2D]:
    """Legend entries of the two engines of `draw_epoch_cost`, after the name of its panel."""
    return [
        Line2D([], [], color="0.3", marker="o", ls="-", label=f"{panel}exact engine"),
        Line2D([], [], color="0.3", marker="o", mfc="white", ls=":", label=f"{panel}autograd loop"),
    ]
