"""Figure S5: every single model of the ensembles of Figure S4.

One line per model, all models of a loss in one panel.
"""

from matplotlib.figure import Figure

from hessbench.experiments.single_ts import plot as single_ts
from hessbench.plotting.figure import letter, new_figure
from hessbench.plotting.style import DOUBLE, in_order
from hessbench.results.reader import Results

TITLE = "Energies along a reaction path, one line per model trained on its TS alone"
STAGES = ("single_ts",)
CLAIMS = ("single_ts_curvature", "single_ts_uncertainty")


def draw(results: Results) -> Figure:
    """Draw one panel per training."""
    predicted, reference = single_ts.read(results)
    losses = in_order(predicted["loss"])
    figure = new_figure(DOUBLE, 2.9)
    axes = figure.subplots(1, len(losses), sharey=True, squeeze=False)[0]
    for ax, label, loss in zip(axes, "abcdefgh", losses, strict=False):
        count = single_ts.draw_members(ax, predicted, loss)
        single_ts.draw_reference(ax, reference, size=1.8)
        ax.set_ylim(*single_ts.shown_range(predicted, reference, members=True))
        ax.set_xlabel("IRC (amu$^{1/2}$ Å)")
        letter(ax, label, f"{loss}, {count} models")
    axes[0].set_ylabel(single_ts.ENERGY_LABEL)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure
