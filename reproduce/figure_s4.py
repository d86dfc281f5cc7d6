"""Figure S4: the whole reaction path, predicted by models that were trained on its TS alone.

Mean energies of the ensembles with their standard deviation as bands, against the reference.
"""

from matplotlib.figure import Figure

from hessbench.experiments.single_ts import plot as single_ts
from hessbench.plotting.figure import new_figure
from hessbench.plotting.style import DOUBLE, in_order
from hessbench.results.reader import Results

TITLE = "Energies along a reaction path predicted by models trained on its TS alone"
STAGES = ("single_ts",)
CLAIMS = ("single_ts_curvature", "single_ts_uncertainty")


def draw(results: Results) -> Figure:
    """Draw the three ensembles."""
    predicted, reference = single_ts.read(results)
    figure = new_figure(0.75 * DOUBLE, 3.6)
    axes = figure.subplots()
    for loss in in_order(predicted["loss"]):
        single_ts.draw_ensemble(axes, predicted, loss, every=3)
    single_ts.draw_reference(axes, reference, size=1.8)
    axes.set_ylim(*single_ts.shown_range(predicted, reference, members=False))
    axes.set_xlabel(single_ts.PATH_LABEL)
    axes.set_ylabel(single_ts.ENERGY_LABEL)
    figure.legend(loc="outside upper center", ncols=3)
    return figure
