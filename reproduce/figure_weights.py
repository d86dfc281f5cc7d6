"""Figure weights: errors of E-F and E-F-H against the weights of force and Hessian in the loss.

Columns: test sets; rows: energy, force and Hessian RMSE; mean and standard deviation over the models. The
abscissa is the weight of the force, eta_F of eq. 6; that of the Hessian, eta_H, stands below it and belongs
to E-F-H alone. How far the two curves lie apart is the effect of the Hessians; how that changes from the
paper's weights to those of the profile is the part of the weights in it. All else of the training is equal.
"""

from matplotlib.figure import Figure

from hessbench.experiments.weights import plot as weights
from hessbench.experiments.weights.statistics import by_weights, choices
from hessbench.plotting.figure import loss_handles, mean_legend, new_figure
from hessbench.plotting.style import DOUBLE, QUANTITY_LABELS, SET_LABELS, UNIT_LABELS, in_order
from hessbench.results.reader import Results
from hessbench.results.store.names import QUANTITIES, SETS

TITLE = "Errors against the weights of forces and Hessians in the loss"
STAGES = ("variants",)
CLAIMS = (
    "rtp_hessian_gap",
    "irc_energy_gain_efh",
    "irc_force_gain_efh",
    "irc_hessian_gap",
    "nms_energy_gain_vs_ef",
    "nms_force_gain",
)


def draw(results: Results) -> Figure:
    """Draw the nine panels."""
    found, tried = by_weights(results), choices(results)
    figure = new_figure(DOUBLE, 6.0)
    panels = figure.subplots(len(QUANTITIES), len(SETS), sharex=True, sharey="row")
    for row, quantity in zip(panels, QUANTITIES, strict=True):
        for axes, test_set in zip(row, SETS, strict=True):
            weights.draw_errors(axes, found, test_set, quantity)
            weights.mark_choices(axes, tried)
        row[0].set_ylabel(f"{QUANTITY_LABELS[quantity]} RMSE ({UNIT_LABELS[quantity]})")
    for axes, test_set in zip(panels[0], SETS, strict=True):
        axes.set_title(SET_LABELS[test_set])
    for axes in panels[-1]:
        axes.set_xlabel("Weight of forces, of Hessians below")
    entries = [*loss_handles(in_order(found["loss"])), *weights.choice_handles(results.run.profile)]
    mean_legend(figure, entries, found["models"])
    return figure
