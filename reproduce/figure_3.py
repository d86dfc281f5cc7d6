"""Figure 3: the temperature that molecules reach before the model breaks them.

(a) Bars are means over the runs, in which those that reached the cap unbroken count with it (triangles, lower
bounds, "≥"); small marks are the single runs, the number above a bar the mean simulated time, a red cross a
molecule whose optimization failed. Black lines: the reference method itself from the same start. The dashed
orange line is at 500 K, the temperature of the MD17 trajectories. (b) Share of all runs that are unbroken
(Kaplan-Meier). (c) The paper's Table S1, apart because it heats by 1 K/ps.
"""

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from hessbench.config.loss_labels import REFERENCE
from hessbench.config.paper import STABLE_K
from hessbench.experiments.stability import plot as stability
from hessbench.plotting.figure import letter, new_figure
from hessbench.plotting.style import DOUBLE, PAPER_LEVEL
from hessbench.results.reader import Results

TITLE = "Temperature reached before failure in heated dynamics"
STAGES = ("stability",)
CLAIMS = ("md_stability_order", "md_stability_500k", "md_stability_ef_as_e")


def draw(results: Results) -> Figure:
    """Draw the bars of all molecules, the survival, and the paper's bars."""
    table = stability.read(results)
    figure = new_figure(DOUBLE, 5.2)
    grid = figure.add_gridspec(2, 2, width_ratios=(1, 2.3), height_ratios=(1.35, 1))
    axes = figure.add_subplot(grid[0, :])
    bars = stability.draw_bars(axes, table)
    letter(axes, "a", f"This run, heated by {stability.rate_text(table)}")
    survival = figure.add_subplot(grid[1, 0])
    stability.draw_survival(survival, table)
    survival.axvline(STABLE_K, color="#E69F00", ls="--", lw=1.2, zorder=1)
    letter(survival, "b", "All molecules and runs")
    paper = figure.add_subplot(grid[1, 1])
    stability.draw_published(paper, results.published.stability, stability.TEMPERATURE, bars=True)
    letter(paper, "c", f"The {PAPER_LEVEL}, heated by 1 K/ps")
    for panel in (axes, paper):
        expected = panel.axhline(STABLE_K, color="#E69F00", ls="--", lw=1.2, zorder=3)
        expected.set_label(f"MD17 trajectories, {STABLE_K:g} K")
    paper.tick_params(axis="x", labelrotation=35)
    paper.set_ylabel("Temperature (K)")
    entries: list = [*stability.handles(table), expected]
    models = table[table["loss"] != REFERENCE]  # which may have had another cap
    if (models["status"] == "censored").any():
        cap = models["cap_k"].max()
        axes.axhline(cap, color="0.5", ls=(0, (1, 2)), lw=0.8)
        entries.append(Line2D([], [], color="0.5", ls=(0, (1, 2)), lw=0.8, label=f"cap, {cap:g} K"))
    axes.set_ylim(0, 1.25 * axes.get_ylim()[1])
    stability.label_times(axes, bars)
    figure.legend(handles=entries, loc="outside upper center", ncols=3)
    return figure
