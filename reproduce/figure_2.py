"""Figure 2: the 30 structures nearest the TS, predicted by models that were trained on the TS alone.

(a) Mean energies of the ensembles with their standard deviation as bands; the inset shows the neighbourhood
of the TS, +-2 kcal/mol within +-0.25. (b) Mean absolute errors of the models at the same structures; the
paper stacks them. Dotted lines mark the distances that section 3.1 names: +-0.25, from where E and E-F grow
uncertain, and +0.6 amu^0.5 Angstrom, up to where E-F-H stays accurate.
"""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hessbench.config.paper import NEAREST_POINTS, TS_FAR, TS_NEAR
from hessbench.experiments.single_ts import plot as single_ts
from hessbench.experiments.single_ts.run.tables import MODES
from hessbench.plotting.figure import letter, new_figure
from hessbench.plotting.style import DOUBLE, in_order
from hessbench.results.reader import Results

TITLE = "Energies near a TS predicted by models trained on that TS alone"
STAGES = ("single_ts",)
CLAIMS = ("single_ts_curvature", "single_ts_uncertainty")
NAMED_DISTANCES = (-TS_NEAR, TS_NEAR, TS_FAR)
INSET = 2.0
"""Energies that the inset shows on either side of the TS, kcal/mol."""


def draw(results: Results) -> Figure:
    """Draw panels a and b."""
    predicted, reference = single_ts.read(results)
    close = single_ts.nearest(reference, NEAREST_POINTS)
    predicted = predicted[predicted["structure"].isin(close["structure"])]
    modes = results.table(MODES)
    figure = new_figure(DOUBLE, 3.1)
    left, right = figure.subplots(1, 2)
    for loss in in_order(predicted["loss"]):
        single_ts.draw_ensemble(left, predicted, loss)
    single_ts.draw_reference(left, close)
    left.set_ylim(*single_ts.limits(close, 0.9, 1.0))
    _draw_inset(left, predicted, close)
    span = close["path_coordinate"].min(), close["path_coordinate"].max()
    for distance in NAMED_DISTANCES:
        if span[0] <= distance <= span[1]:
            left.axvline(distance, color="0.35", ls=":", lw=0.8, zorder=1)
            left.annotate(
                f"{distance:+g}".replace("-", "−"),
                (distance, 0.005),
                xycoords=("data", "axes fraction"),
                xytext=(1.5, 0),
                textcoords="offset points",
                fontsize=5.5,
                color="0.35",
            )
    left.set_xlabel(single_ts.PATH_LABEL)
    left.set_ylabel(single_ts.ENERGY_LABEL)
    left.legend(loc="upper center", fontsize=5.8, frameon=True, framealpha=0.85, edgecolor="none")
    letter(left, "a", f"The {len(close)} structures nearest the TS")

    single_ts.draw_errors(right, predicted)
    for distance in NAMED_DISTANCES:
        right.axvline(distance, color="0.35", ls=":", lw=0.8, zorder=1)
    right.set_xlabel(single_ts.PATH_LABEL)
    right.set_ylabel("Mean absolute error (kcal mol⁻¹)")
    right.legend(loc="upper center", ncols=3)
    window = results.provenance(MODES).notes.get("window")
    within = f" within ±{window:g}" if window else ""
    shares = modes[modes["model"] >= 0].groupby("loss")["ts_is_maximum"].mean()
    right.text(
        0.5,
        0.86,
        f"Models for which the TS is a maximum of the path{within}:\n"
        + ", ".join(f"{name} {100 * shares[name]:.0f} %" for name in in_order(shares.index)),
        transform=right.transAxes,
        ha="center",
        va="top",
        fontsize=5.8,
    )
    right.set_ylim(0, 1.5 * right.get_ylim()[1])
    letter(right, "b", "Mean errors at these structures")
    return figure


def _draw_inset(axes: Axes, predicted: pd.DataFrame, reference: pd.DataFrame) -> None:
    """The neighbourhood of the TS, where the curves of the panel lie upon one another."""
    inset = axes.inset_axes((0.5, 0.14, 0.47, 0.27))
    for loss in in_order(predicted["loss"]):
        single_ts.draw_ensemble(inset, predicted, loss)
    single_ts.draw_reference(inset, reference)
    inset.set_xlim(-TS_NEAR, TS_NEAR)
    inset.set_ylim(-INSET, INSET)
    inset.tick_params(labelsize=5)
