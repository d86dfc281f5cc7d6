"""Harmonic frequencies along a reaction path (sections 2.6 and 3.7)."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from hessbench.experiments.spectra.run.tables import COST
from hessbench.plotting.style import style_of
from hessbench.results.reader import Results

FREQUENCY_LABEL = "Frequency (cm⁻¹; imaginary below 0)"


def reaction_mode(table: pd.DataFrame) -> int:
    """The mode that falls lowest along the path."""
    return int(table["mode"].iloc[int(table["frequency_cm1"].argmin())])


def draw_modes(axes: Axes, table: pd.DataFrame, loss: str, *, background: bool = False) -> None:
    """Every mode as a line over the images, the one that falls lowest in bold.

    Parameters
    ----------
    table
        Rows of one loss and seed: columns image, path_coordinate, mode, frequency_cm1.
    background
        Grey and without emphasis, to compare another loss with.
    """
    color = "0.6" if background else style_of(loss).color
    soft = None if background else reaction_mode(table)
    lines = []
    for mode, rows in table.groupby("mode"):
        points = rows.sort_values("image")[["path_coordinate", "frequency_cm1"]].to_numpy()
        if mode == soft:
            axes.plot(*points.T, color=color, lw=1.6, marker="o", ms=2.4, zorder=4, label="lowest frequency")
        else:
            lines.append(points)
    label = "reference" if background else None
    width, alpha, order = (0.9, 0.6, 2) if background else (0.6, 0.85, 3)
    axes.add_collection(
        LineCollection(lines, colors=color, linewidths=width, alpha=alpha, zorder=order, label=label)
    )
    axes.autoscale_view()
    axes.axhline(0, color="0.4", lw=0.6, zorder=1)
    axes.axvline(0, color="#D0103A", ls="--", lw=0.8, zorder=1)
    axes.set_ylabel(FREQUENCY_LABEL)


def deviation(table: pd.DataFrame) -> tuple[float, float]:
    """Root mean square and mean absolute deviation of sorted frequencies from the reference's, cm-1."""
    difference = (table["frequency_cm1"] - table["reference_frequency_cm1"]).to_numpy()
    return float(np.sqrt((difference**2).mean())), float(np.abs(difference).mean())


def cost_of(results: Results, cost: pd.DataFrame, name: str) -> str:
    """CPU time of all Hessians of a path, the mean over models, in words."""
    rows = results.rows(COST, cost, source=name)
    return f"{rows['images'].iloc[0]} images, {rows['cpu_s'].mean():.3g} s of CPU time"
