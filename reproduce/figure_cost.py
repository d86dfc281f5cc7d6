"""Figure cost: errors against the processor time of training, by how Hessians enter the loss.

Panels: energy, force and Hessian RMSE on held-out stationary points. Each line joins trainings of one loss of
different length; E-F-HVP estimates the Hessian's error of E-F-H from products with random vectors, or from
random rows. The lower curve at a time is the better use of it.
"""

from matplotlib.figure import Figure

from hessbench.experiments.cost import plot as cost
from hessbench.experiments.cost.statistics import by_cost
from hessbench.plotting.figure import count_text, letter, loss_handles, new_figure
from hessbench.plotting.style import DOUBLE, QUANTITY_LABELS, UNIT_LABELS, in_order
from hessbench.results.reader import Results
from hessbench.results.store.names import QUANTITIES

TITLE = "Errors against the processor time of training with Hessians, exact and estimated"
STAGES = ("variants",)
CLAIMS = ()


def draw(results: Results) -> Figure:
    """Draw the three panels."""
    found = by_cost(results)
    figure = new_figure(DOUBLE, 3.2)
    for axes, quantity, name in zip(figure.subplots(1, len(QUANTITIES)), QUANTITIES, "abc", strict=True):
        cost.draw_errors(axes, found, quantity)
        axes.set_ylabel(f"{QUANTITY_LABELS[quantity]} RMSE ({UNIT_LABELS[quantity]})")
        axes.set_xlabel("Training (s, processor)")
        letter(axes, name)
    figure.legend(
        handles=loss_handles(in_order(found["loss"])),
        loc="outside upper center",
        ncols=3,
        title=f"Models per training: {count_text(found['models'])}",
    )
    return figure
