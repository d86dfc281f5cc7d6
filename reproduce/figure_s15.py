"""Figure S15: the simulated time before the model breaks a molecule.

As Figure 3, in time; the axis is logarithmic above 1 ps and linear below, so that 0 (a failed optimization)
can be shown.
"""

from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter

from hessbench.experiments.stability import plot as stability
from hessbench.plotting.figure import new_figure
from hessbench.plotting.style import DOUBLE
from hessbench.results.reader import Results

TITLE = "Simulated time before failure in heated dynamics"
STAGES = ("stability",)
CLAIMS = ("md_stability_order", "md_stability_500k", "md_stability_ef_as_e")


def draw(results: Results) -> Figure:
    """Draw the bars of all molecules."""
    table = stability.read(results)
    figure = new_figure(DOUBLE, 3.6)
    axes = figure.subplots()
    axes.set_yscale("symlog", linthresh=1.0, linscale=0.4)
    bars = stability.draw_bars(axes, table, stability.TIME, results.published.stability)
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.set_ylim(0, axes.get_ylim()[1] * 4)
    stability.label_times(axes, bars)
    figure.legend(handles=stability.handles(table), loc="outside upper center", ncols=4)
    return figure
