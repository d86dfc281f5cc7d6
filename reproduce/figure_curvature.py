"""Figure curvature: vibrations by predicted Hessians against those of the reference.

Columns: test sets. Above: mean absolute errors of wavenumbers by the range of the reference's, modes in
ascending order. Below: the mean overlap of the lowest mode with the reference's, and the shares of structures
for which the number of imaginary modes is right: of all, of those where the reference has none, and of those
where it has one. Bars are 95 % intervals over reactions and models. Translations and rotations are projected
out at every geometry; IRC and NMS structures are not stationary.
"""

from matplotlib.figure import Figure

from hessbench.experiments.curvature import plot as curvature
from hessbench.experiments.curvature.run.tables import RANGES
from hessbench.experiments.curvature.statistics import estimates
from hessbench.plotting.axes import plain_log
from hessbench.plotting.figure import loss_handles, new_figure
from hessbench.plotting.style import DOUBLE, SET_LABELS, in_order
from hessbench.results.reader import Results
from hessbench.results.store.names import SETS

TITLE = "Vibrations, saddle points and minima by predicted Hessians"
STAGES = ("curvature",)
CLAIMS = ()
WAVENUMBERS = [f"wavenumber_mae_{name}" for name in RANGES]
WAVENUMBER_TICKS = ["imaginary", "< 500", "500 – 2000", "> 2000"]
SHARES = ["lowest_overlap", "imaginary_right", "minima_recognized", "saddles_recognized"]
SHARE_TICKS = ["lowest mode,\noverlap", "imaginary\nmodes right", "none\nwhere none", "one\nwhere one"]


def draw(results: Results) -> Figure:
    """Draw the six panels."""
    found = estimates(results)
    figure = new_figure(DOUBLE, 4.4)
    panels = figure.subplots(2, len(SETS), sharey="row")
    for (above, below), test_set in zip(panels.T, SETS, strict=True):
        curvature.draw_metrics(above, found, test_set, WAVENUMBERS)
        above.set_xticks(range(len(WAVENUMBERS)), WAVENUMBER_TICKS)
        above.set_xlabel("Wavenumber of the reference (cm⁻¹)")
        above.set_title(SET_LABELS[test_set])
        curvature.draw_metrics(below, found, test_set, SHARES)
        below.set_xticks(range(len(SHARES)), SHARE_TICKS)
        below.set_ylim(-0.03, 1.03)
        for axes in (above, below):
            axes.tick_params(axis="x", labelsize=5.6, length=0)
    plain_log(panels[0, 0])
    panels[0, 0].set_ylabel("Wavenumber MAE (cm⁻¹)")
    panels[1, 0].set_ylabel("Overlap, or share of structures")
    figure.legend(handles=loss_handles(in_order(found["loss"].unique())), loc="outside upper center", ncols=4)
    return figure
