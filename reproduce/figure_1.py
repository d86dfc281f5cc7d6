"""Figure 1: what energies, forces and Hessians in training do for a model.

(a) A potential energy surface. (b-d) Energies along the reaction path predicted by ensembles that were
trained on the TS alone (mean and standard deviation), against the reference. (e) Energy error on perturbed
structures against the share of the data. (f) Temperature at which molecules break in heated dynamics. (g)
Time per epoch against the share of the data, with the paper's autograd loop; grey line: the paper's factor
of 25 times E-F.
"""

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from hessbench.config.loss_labels import PAPER_LABELS
from hessbench.config.paper import STABLE_K
from hessbench.experiments.errors import plot as curves
from hessbench.experiments.errors.ensembles import rmse_of_models
from hessbench.experiments.single_ts import plot as single_ts
from hessbench.experiments.single_ts.run.tables import SINGLE_TS
from hessbench.experiments.stability import plot as stability
from hessbench.experiments.surface.plot import draw_surface
from hessbench.plotting.figure import letter, loss_handles, new_figure, published_handle
from hessbench.plotting.style import DOUBLE, in_order
from hessbench.results.reader import Results

TITLE = "Effects of energies, forces and Hessians on predictions outside the training data"
STAGES = ("surface", "single_ts", "evaluate", "baselines", "stability", "epoch_cost")
CLAIMS = ("single_ts_curvature", "data_efficiency_nms", "md_stability_order", "epoch_cost")
MOLECULES = ("aspirin", "benzene", "ethanol", "uracil")


def draw(results: Results) -> Figure:
    """Draw panels a - g."""
    figure = new_figure(DOUBLE, 4.8)
    grid = figure.add_gridspec(2, 1, height_ratios=(1, 1.08))
    upper, lower = (figure.add_subfigure(grid[row]) for row in (0, 1))
    places = upper.add_gridspec(1, 4, width_ratios=(1.3, 1, 1, 1))
    letter(draw_surface(upper, places[0], results), "a", "Energy (kcal mol⁻¹)")

    predicted, reference = single_ts.read(results)
    first = upper.add_subplot(places[1])
    others = (upper.add_subplot(places[place], sharey=first) for place in (2, 3))
    for axes, label, loss in zip((first, *others), "bcd", PAPER_LABELS, strict=True):
        results.rows(SINGLE_TS, predicted, loss=loss)
        single_ts.draw_ensemble(axes, predicted, loss, every=3)
        single_ts.draw_reference(axes, reference, size=1.5)
        axes.set_ylim(*single_ts.limits(reference, 0.45, 0.9))
        axes.set_xlabel("IRC (amu$^{1/2}$ Å)")
        letter(axes, label, f"{loss}, the TS alone")
        models = predicted.loc[predicted["loss"] == loss, "model"].nunique()
        axes.text(0.97, 0.03, f"mean ± SD of {models}", transform=axes.transAxes, ha="right", fontsize=5.5)
        axes.tick_params(labelleft=axes is first)
    first.set_ylabel("Energy (kcal mol⁻¹)")

    axes = lower.subplots(1, 3)
    rmse = rmse_of_models(results)
    curves.draw_rmse(axes[0], rmse, "nms", "energy", results)
    letter(axes[0], "e", "Error off the reaction path")
    table = stability.read(results)
    chosen = table[table["molecule"].str.lower().isin(MOLECULES)]
    shown = table if chosen.empty else chosen
    stability.draw_bars(axes[1], shown)
    line = axes[1].axhline(STABLE_K, color="#E69F00", ls="--", lw=1, label=f"MD17, {STABLE_K:g} K")
    axes[1].tick_params(axis="x", labelrotation=20)
    letter(axes[1], "f", f"Dynamics, {stability.rate_text(shown)}")
    curves.draw_epoch_cost(axes[2], results, engines=(curves.LOOP,))
    letter(axes[2], "g", "Cost (autograd loop)")
    path_marks, _ = first.get_legend_handles_labels()
    figure.legend(
        handles=[
            *loss_handles(in_order(rmse["loss"])),
            published_handle(),
            *curves.zero_handles(results),
            *path_marks[1:],  # reference and TS
        ],
        loc="outside upper center",
        ncols=7,
    )
    of_panel_f = [
        Line2D([], [], ls="", label="(f)"),
        *stability.run_handles(shown),
        *stability.reference_handles(shown),
        line,
    ]
    lower.legend(handles=of_panel_f, loc="outside upper right", ncols=3)
    return figure
