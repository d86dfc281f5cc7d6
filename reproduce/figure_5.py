"""Figure 5: harmonic frequencies along the reaction path of Figure 4.

(a) From Hessians of the reference level. (b) From Hessians of the E-F-H model, the reference in grey
behind. The lowest frequency, which the paper finds to soften at the TS, is in bold.
"""

from typing import Any

from matplotlib.figure import Figure

from hessbench.config.loss_labels import REFERENCE
from hessbench.config.paper import SPECTRA_IMAGES
from hessbench.experiments.spectra import plot as spectra
from hessbench.experiments.spectra.run.tables import COST, SPECTRA
from hessbench.plotting.figure import letter, new_figure
from hessbench.plotting.style import SINGLE
from hessbench.results.reader import Results

TITLE = "Vibrational frequencies along a reaction path"
STAGES = ("spectra",)
CLAIMS = ("spectra_softening", "spectra_frequencies", "spectra_speedup")
LOSS = "E-F-H"
NOTE: dict[str, Any] = {
    "fontsize": 5.8, "ha": "right", "va": "bottom",
    "bbox": {"facecolor": "white", "edgecolor": "none", "pad": 1.0},
}  # fmt: skip
ROOM = 0.16
"""Share of the frequency axis that is kept below the curves for the legend and a line of text."""


def draw(results: Results) -> Figure:
    """Draw panels a and b."""
    table = results.table(SPECTRA)
    reference = results.rows(SPECTRA, table, loss=REFERENCE)
    reference = results.rows(SPECTRA, reference, reaction=reference["reaction"].iloc[0])
    model = results.rows(SPECTRA, table, loss=LOSS, reaction=reference["reaction"].iloc[0])
    model = results.rows(SPECTRA, model, seed=model["seed"].min())
    cost = results.table(COST)
    figure = new_figure(1.55 * SINGLE, 5.2)
    upper, lower = figure.subplots(2, 1, sharex=True, sharey=True)
    spectra.draw_modes(upper, reference, REFERENCE)
    letter(upper, "a", f"Reference Hessians ({spectra.cost_of(results, cost, REFERENCE)})")
    spectra.draw_modes(lower, reference, REFERENCE, background=True)
    spectra.draw_modes(lower, model, LOSS)
    letter(lower, "b", f"{LOSS} Hessians ({spectra.cost_of(results, cost, LOSS)})")
    rms, mean, share = spectra.deviation(results, model)
    published = results.published.spectra
    lower.text(
        0.99,
        0.02,
        f"{100 * share:.0f} % of the modes matched; RMSD {rms:.0f} cm⁻¹, MAD {mean:.0f} cm⁻¹",
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
    lower.set_xlabel("Intrinsic coordinate, distance from the highest image (Å)")
    return figure
