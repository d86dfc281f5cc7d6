"""Figure 5: harmonic frequencies along the reaction path of Figure 4, and their errors along all paths.

(a) From Hessians of the reference level. (b) From Hessians of the E-F-H model with the lowest seed, the
reference in grey behind. The lowest frequency, which the paper finds to soften at the TS, is in bold. The TS
is the highest image of the reference's climbing band: a saddle point to the band's tolerance; away from it
and from the end points structures are not stationary, so that their frequencies depend on the coordinates.
(c) Mean absolute errors of sorted frequencies on the IRC structures of all reactions, by the range of the
reference's, with 95 % intervals over reactions and models.
"""

from typing import Any

from matplotlib.figure import Figure

from hessbench.config.loss_labels import REFERENCE
from hessbench.config.paper import SPECTRA_IMAGES
from hessbench.experiments.curvature import plot as curvature
from hessbench.experiments.curvature.run.tables import CURVATURE, RANGES
from hessbench.experiments.curvature.statistics import RANGE_LABELS, estimates
from hessbench.experiments.spectra import plot as spectra
from hessbench.experiments.spectra.run.tables import COST, SPECTRA
from hessbench.plotting.axes import plain_log
from hessbench.plotting.figure import letter, loss_handles, new_figure
from hessbench.plotting.style import SINGLE, in_order
from hessbench.results.reader import Results

TITLE = "Vibrational frequencies along a reaction path"
STAGES = ("spectra", "curvature")
CLAIMS = ("spectra_softening", "spectra_frequencies", "spectra_speedup")
LOSS = "E-F-H"
NOTE: dict[str, Any] = {
    "fontsize": 5.8, "ha": "right", "va": "bottom",
    "bbox": {"facecolor": "white", "edgecolor": "none", "pad": 1.0},
}  # fmt: skip
ROOM = 0.16
"""Share of the frequency axis that is kept below the curves for the legend and a line of text."""


def draw(results: Results) -> Figure:
    """Draw panels a to c."""
    table = results.table(SPECTRA)
    reference = results.rows(SPECTRA, table, loss=REFERENCE)
    reference = results.rows(SPECTRA, reference, reaction=reference["reaction"].iloc[0])
    model = results.rows(SPECTRA, table, loss=LOSS, reaction=reference["reaction"].iloc[0])
    model = results.rows(SPECTRA, model, seed=model["seed"].min())
    cost = results.table(COST)
    figure = new_figure(1.55 * SINGLE, 7.2)
    grid = figure.add_gridspec(3, 1, height_ratios=(1, 1, 0.75))
    upper = figure.add_subplot(grid[0])
    lower = figure.add_subplot(grid[1], sharex=upper, sharey=upper)
    upper.tick_params(labelbottom=False)
    spectra.draw_modes(upper, reference, REFERENCE)
    letter(upper, "a", f"Reference Hessians ({spectra.cost_of(results, cost, REFERENCE)})")
    spectra.draw_modes(lower, reference, REFERENCE, background=True)
    spectra.draw_modes(lower, model, LOSS)
    letter(lower, "b", f"{LOSS} Hessians ({spectra.cost_of(results, cost, LOSS)})")
    rms, mean = spectra.deviation(model)
    published = results.published.spectra
    lower.text(
        0.99,
        0.02,
        f"model and reference both sorted: RMSD {rms:.0f} cm⁻¹, MAD {mean:.0f} cm⁻¹",
        transform=lower.transAxes,
        **NOTE,
    )
    upper.text(
        0.99,
        0.02,
        f"paper: {SPECTRA_IMAGES} images, reference {published.reference_total:,.0f} s, "
        f"model {published.model_total:g} s of CPU time",
        transform=upper.transAxes,
        **NOTE,
    )
    low, high = lower.get_ylim()
    lower.set_ylim(low - ROOM * (high - low), high)
    upper.legend(loc="lower left")
    lower.legend(loc="lower left")
    lower.set_xlabel("Intrinsic coordinate, distance from the highest image, the TS (Å)")
    found = estimates(results)
    axes = figure.add_subplot(grid[2])
    curvature.draw_metrics(axes, found, "irc", [f"wavenumber_mae_{name}" for name in RANGES])
    axes.set_xticks(range(len(RANGES)), [f"{RANGE_LABELS[name]}" for name in RANGES], fontsize=6)
    axes.set_xlabel("Frequency of the reference")
    plain_log(axes)
    axes.set_ylabel("MAE (cm⁻¹)")
    axes.legend(handles=loss_handles(in_order(found["loss"].unique())), loc="best", ncols=3)
    table = results.table(CURVATURE)
    paths = table.loc[table["set"] == "irc", "reaction"].nunique()
    letter(axes, "c", f"Structures along {paths} reaction paths (IRC)")
    return figure
