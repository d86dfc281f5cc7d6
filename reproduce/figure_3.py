"""Figure 3: the temperature that molecules reach before the model breaks them.

Bars are means over the models, dots the single models, the number above a bar the mean simulated time. A
triangle is a run that reached the cap unbroken (a lower bound, "≥"), a red cross a molecule whose
optimization failed. The dashed orange line is at 500 K, the temperature of the MD17 trajectories.
"""

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from hessbench.config.paper import STABLE_K
from hessbench.experiments.stability import plot as stability
from hessbench.plotting.figure import new_figure
from hessbench.plotting.style import DOUBLE
from hessbench.results.reader import Results

TITLE = "Temperature reached before failure in heated dynamics"
STAGES = ("stability",)
CLAIMS = ("md_stability_order", "md_stability_500k", "md_stability_ef_as_e")


def draw(results: Results) -> Figure:
    """Draw the bars of all molecules."""
    table = stability.read(results)
    figure = new_figure(DOUBLE, 3.6)
    axes = figure.subplots()
    bars = stability.draw_bars(axes, table, stability.TEMPERATURE, results.published.stability)
    expected = axes.axhline(STABLE_K, color="#E69F00", ls="--", lw=1.2, zorder=3)
    expected.set_label(f"MD17 trajectories, {STABLE_K:g} K")
    entries: list = [*stability.handles(table), expected]
    if (table["status"] == "censored").any():
        cap = table["cap_k"].max()
        axes.axhline(cap, color="0.5", ls=(0, (1, 2)), lw=0.8)
        entries.append(Line2D([], [], color="0.5", ls=(0, (1, 2)), lw=0.8, label=f"cap, {cap:g} K"))
    axes.set_ylim(0, 1.1 * axes.get_ylim()[1])
    stability.label_times(axes, bars)
    figure.legend(handles=entries, loc="outside upper center", ncols=4)
    return figure
