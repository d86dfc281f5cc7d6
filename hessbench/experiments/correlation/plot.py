"""Predicted against reference values as a density (SI, section E)."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullFormatter, StrMethodFormatter

from hessbench.experiments.correlation.run.tables import CORRELATION
from hessbench.experiments.errors.ensembles import rmse_of_models
from hessbench.plotting.figure import letter, new_figure
from hessbench.plotting.style import (
    DOUBLE,
    PAPER_LEVEL,
    SET_LABELS,
    UNIT_LABELS,
    published_key,
)
from hessbench.results.reader import Results
from hessbench.results.store.names import SETS
from hessbench.results.store.tables import ResultsError
from hessbench.results.table_files import QUANTITY_NAMES

COLUMNS = ["loss", "set", "quantity", "reference_bin", "predicted_bin", "count"]
OUTSIDE = 0.0005
"""Share of the predictions that may lie beyond the drawn range, as some of a model are far off."""
ROWS = 120
"""Rows of bins on an axis of predictions, about."""
ABOVE = 27.0
"""Room between panel and title for three lines of numbers, points."""


def draw_density(
    axes: Axes,
    results: Results,
    table: pd.DataFrame,
    rmse: pd.DataFrame,
    loss: str,
    test_set: str,
    quantity: str,
) -> ScalarMappable:
    """Counts in square bins on a logarithmic colour scale, the diagonal, and both RMSEs.

    Parameters
    ----------
    table
        The correlation table.
    rmse
        From `rmse_of_models`, for the numbers in the corner.

    Raises
    ------
    ResultsError
        No rows for this loss, set and quantity, or counts that are not positive.
    """
    rows = results.rows(CORRELATION, table, loss=loss, set=test_set, quantity=quantity)
    if (rows["count"] <= 0).any():
        raise ResultsError(results.path(CORRELATION), "counts must be positive.", "count")
    x, y = rows["reference_bin"].to_numpy(), rows["predicted_bin"].to_numpy()
    counts = rows["count"].to_numpy()
    width_x, width_y = _spacing(x), _spacing(y)
    low_x, high_x = x.min() - width_x / 2, x.max() + width_x / 2
    low_y, high_y = _central(y, counts)
    low_y, high_y = min(low_y - width_y / 2, low_x), max(high_y + width_y / 2, high_x)
    edges_x = np.arange(round((high_x - low_x) / width_x) + 1) * width_x + low_x
    first = y.min() - width_y / 2
    # where predictions spread far beyond the reference, bins as narrow as its range would be hairlines
    height = width_y * max(1, round((high_y - low_y) / (width_y * ROWS)))
    edges_y = np.arange(int((y.max() + width_y / 2 - first) / height) + 2) * height + first
    image, _, _ = np.histogram2d(x, y, bins=(edges_x, edges_y), weights=counts)
    mesh = axes.pcolormesh(
        edges_x,
        edges_y,
        np.ma.masked_equal(image.T, 0),
        norm=LogNorm(1, max(image.max(), 2)),
        cmap="cividis",
        rasterized=True,
        zorder=2,
    )
    axes.axline((low_x, low_x), slope=1, color="#D0103A", ls=(0, (1, 2)), lw=0.7, zorder=3)
    axes.set_xlim(low_x, high_x)
    axes.set_ylim(low_y, high_y)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.yaxis.set_major_locator(MaxNLocator(4))
    unit = UNIT_LABELS[quantity]
    axes.set_xlabel(f"Reference {QUANTITY_NAMES[quantity]} ({unit})")
    axes.set_ylabel(f"Predicted {QUANTITY_NAMES[quantity]} ({unit})")
    outside = int(counts[(y < low_y) | (y > high_y)].sum())
    text = axes.text(
        0,
        1.02,
        _numbers(results, rmse, rows, outside),
        transform=axes.transAxes,
        ha="left",
        va="bottom",
        fontsize=5.6,
    )
    text.set_in_layout(False)  # its width would make the panels narrow
    return mesh


def _numbers(results: Results, rmse: pd.DataFrame, rows: pd.DataFrame, outside: int) -> str:
    """RMSE beside the paper's, line through the values and R^2, numbers of values; rows of one panel."""
    loss, test_set, quantity = (str(rows[name].iloc[0]) for name in ("loss", "set", "quantity"))
    chosen = rmse[(rmse["loss"] == loss) & (rmse["set"] == test_set) & (rmse["quantity"] == quantity)]
    values = chosen["rmse"]
    spread = f" ± {values.std():.2f}" if len(values) > 1 else ""
    first = f"RMSE {values.mean():.2f}{spread}" if len(values) else "no RMSE"
    key = published_key(loss)
    if key:
        cell = results.published.cell(test_set, key, quantity)
        first += f" (paper {cell.rmse:.2f} ± {cell.spread:.2f})"
    found = line_through(rows)
    second = _line(*found) if found else "one reference value"
    third = f"{int(rows['count'].sum()):,} values"
    return "\n".join([first, second, third + (f", {outside:,} beyond the axis" if outside else "")])


def _line(slope: float, r2: float) -> str:
    determination = f"R² {r2:.3f}" if r2 >= 0 else "R² below 0 (worse than their mean)"
    return f"slope {slope:.2f}, {determination}".replace("-", "−")


def line_through(rows: pd.DataFrame) -> tuple[float, float] | None:
    """Least-squares line of predicted on reference values, from the centres of their bins.

    Returns
    -------
    slope, determined
        Of the line; and R^2, the share of the reference's variance that predictions account for, which is
        negative where they are worse than the reference's mean. None if all reference values are in one bin.
    """
    x, y, weights = (rows[name].to_numpy(float) for name in ("reference_bin", "predicted_bin", "count"))
    centred = x - np.average(x, weights=weights)
    variance = float(weights @ centred**2)
    if variance == 0:
        return None
    return float(weights @ (centred * y)) / variance, 1 - float(weights @ (y - x) ** 2) / variance


def _spacing(centres: np.ndarray) -> float:
    """Width of the bins, from their centres."""
    distances = np.diff(np.unique(centres))
    distances = distances[distances > 1e-9 * np.ptp(centres)] if len(distances) else distances
    return float(distances.min()) if len(distances) else 1.0


def _central(values: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Range of all but `OUTSIDE` of the values."""
    order = np.argsort(values)
    share = np.cumsum(weights[order]) / weights.sum()
    first = int(np.searchsorted(share, OUTSIDE / 2))
    last = min(int(np.searchsorted(share, 1 - OUTSIDE / 2)), len(values) - 1)
    low, high = values[order][[first, last]]
    return float(low), float(high)


def draw_sets(results: Results, loss: str, quantity: str) -> Figure:
    """Figure of one loss and quantity: a density for each test set, one colour scale."""
    table = results.table(CORRELATION, COLUMNS)
    rmse = rmse_of_models(results, largest=True)
    figure = new_figure(DOUBLE, 3.0)
    axes = figure.subplots(1, len(SETS))
    largest = int(table.loc[(table["loss"] == loss) & (table["quantity"] == quantity), "count"].max())
    for ax, label, test_set in zip(axes, "abc", SETS, strict=True):
        mesh = draw_density(ax, results, table, rmse, loss, test_set, quantity)
        mesh.set_norm(LogNorm(1, max(largest, 2)))
        letter(ax, label, SET_LABELS[test_set])
        ax.set_title(ax.get_title(loc="left"), loc="left", pad=ABOVE)
    bar = figure.colorbar(mesh, ax=axes, pad=0.01, aspect=28)
    bar.set_label("Values in a bin")
    bar.ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    bar.ax.yaxis.set_minor_formatter(StrMethodFormatter("{x:g}") if largest < 10 else NullFormatter())
    title = f"{loss} models: {QUANTITY_NAMES[quantity]} predictions ({PAPER_LEVEL.replace(',', ' at')})"
    convention = results.provenance(CORRELATION).notes.get(quantity)  # such as the zero of energy
    figure.suptitle(f"{title}\n{QUANTITY_NAMES[quantity]} {convention}" if convention else title)
    return figure
