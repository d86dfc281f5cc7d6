"""Figure S15: the simulated time before the model breaks a molecule.

As Figure 3, in time. Large marks are means over the runs, small ones the single runs, black lines the
reference. The axes are logarithmic above 1 ps and linear below, so that 0 (a failed optimization) can be
shown; bars would have no meaning on them. (b) The paper's Table S1, apart because it heats by 1 K/ps.
"""

from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter

from hessbench.experiments.stability import plot as stability
from hessbench.plotting.figure import letter, new_figure
from hessbench.plotting.style import DOUBLE, PAPER_LEVEL
from hessbench.results.reader import Results

TITLE = "Simulated time before failure in heated dynamics"
STAGES = ("stability",)
CLAIMS = ("md_stability_order", "md_stability_500k", "md_stability_ef_as_e")


def draw(results: Results) -> Figure:
    """Draw the times of all molecules, and the paper's."""
    table = stability.read(results)
    figure = new_figure(DOUBLE, 4.8)
    upper, lower = figure.subplots(2, 1)
    stability.draw_points(upper, table, stability.TIME)
    letter(upper, "a", f"This run, heated by {stability.rate_text(table)}")
    stability.draw_published(lower, results.published.stability, stability.TIME, bars=False)
    letter(lower, "b", f"The {PAPER_LEVEL}, heated by 1 K/ps")
    for axes in (upper, lower):
        axes.set_yscale("symlog", linthresh=1.0, linscale=0.4)
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.set_ylim(-0.1, axes.get_ylim()[1] * 1.5)
    figure.legend(handles=stability.handles(table, bars=False), loc="outside upper center", ncols=3)
    return figure
