"""A potential energy surface over two coordinates (Figure 1a of the paper)."""

from textwrap import fill

import numpy as np
from matplotlib.figure import Figure, SubFigure
from matplotlib.gridspec import SubplotSpec
from matplotlib.ticker import MaxNLocator
from mpl_toolkits.mplot3d import Axes3D

from hessbench.experiments.surface.run.tables import SURFACE
from hessbench.results.reader import Results
from hessbench.results.store.tables import ResultsError

LABEL_WIDTH = 18
"""Characters of an axis label in one line."""
TOP = 200.0
"""Energy in kcal/mol above the lowest point at which a surface is cut, about three barriers."""


def draw_surface(figure: Figure | SubFigure, place: SubplotSpec, results: Results) -> Axes3D:
    """Surface in perspective over its contours, cut at `TOP`, as atoms that meet are far above any barrier.

    Raises
    ------
    ResultsError
        The points do not fill a rectangular grid.
    """
    table = results.table(SURFACE)
    extra = results.provenance(SURFACE).notes
    grid = table.pivot_table(index="y", columns="x", values="energy")
    if grid.isna().to_numpy().any() or min(grid.shape) < 3 or grid.size != len(table):
        raise ResultsError(results.path(SURFACE), "the points do not fill a rectangular grid.", "energy")
    energy = grid.to_numpy() - grid.to_numpy().min()
    top = min(float(energy.max()), TOP)
    x, y = np.meshgrid(grid.columns.to_numpy(), grid.index.to_numpy())
    shown = np.minimum(energy, top)
    axes: Axes3D = figure.add_subplot(place, projection="3d")
    floor = -0.55 * top
    axes.plot_surface(
        x,
        y,
        shown,
        cmap="cividis",
        rcount=60,
        ccount=60,
        linewidth=0.12,
        edgecolor=(0, 0, 0, 0.25),
        antialiased=True,
        rasterized=True,
    )
    axes.contour(x, y, shown, levels=12, zdir="z", offset=floor, cmap="cividis", linewidths=0.6)
    axes.set_zlim(floor, top)
    axes.set_xlabel(fill(extra.get("x_label", "x (Å)"), LABEL_WIDTH), labelpad=-5)
    axes.set_ylabel(fill(extra.get("y_label", "y (Å)"), LABEL_WIDTH), labelpad=-5)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(3))
    axes.set_zticks([tick for tick in axes.get_zticks() if 0 <= tick <= top])
    axes.tick_params(pad=-4, labelsize=5)
    axes.view_init(elev=28, azim=-52)
    axes.set_box_aspect((1, 1, 0.85), zoom=1.05)
    return axes
