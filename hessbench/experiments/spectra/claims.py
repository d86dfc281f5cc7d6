"""Statistics of the claims about spectra.

How claims are judged is explained in `hessbench.verification.claims`.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from hessbench.config.loss_labels import REFERENCE
from hessbench.experiments.curvature.run.tables import CLOSE, CURVATURE, RANGES
from hessbench.experiments.curvature.statistics import RANGE_LABELS, Column, Metric, mean_estimate
from hessbench.experiments.errors.statistics import EnsembleErrors, ensemble_errors, estimate, rmse
from hessbench.experiments.spectra.run.tables import COST
from hessbench.results.evidence import Evidence, Finding, number, require
from hessbench.results.reader import Results
from hessbench.results.statistics import Estimate, proportion

NEAR = 0.05
"""Part of the path's length by which a minimum may miss the reference's and still be at it."""
HALF = 0.5
"""More than this share of the paths are most of them."""
DFT_HESSIAN_CPU_S = 350.0
"""CPU time of one DFT Hessian with its SCF, 13 atoms, DF-wB97X-D/6-31G(d) by PySCF: 15 and 160 s on two
cores (docs/data-sources.md, "Labels of your own"). The paper's Gaussian 16 took 301 s (section 3.7)."""
STATED_FACTOR = 2.0
"""Interval of the speed-up, either way: one time of another machine, for another molecule."""


def spectra_softening(results: Results) -> Evidence:
    """Share of reaction paths on which E-F-H's lowest mode is lowest where the reference's is.

    Most are more than half. All IRC paths of the data with all models; reactions and models are resampled.
    The reference itself has its minimum not always at the TS, which is said beside.
    """
    paths = path_minima(results)
    shares = {
        loss: mean_estimate(rows, _share(lambda rows: rows["near"]))
        for loss in ("E-F-H", "E-F", "E")
        if len(rows := paths[paths["loss"] == loss])
    }
    found = shares.pop("E-F-H", None)
    require(found is not None, CURVATURE, "E-F-H")
    assert found is not None
    reactions = paths.drop_duplicates("reaction")
    own = int(reactions["reference_at_ts"].sum())
    return Evidence(
        [
            Finding(
                label=f"share of {len(reactions)} paths on which E-F-H's lowest mode has its minimum within "
                f"{100 * NEAR:g} % of the path of the reference's",
                estimate=found,
                line=HALF,
            )
        ],
        (),
        (
            *(f"the same of {loss}: {number(share)}" for loss, share in shares.items() if share),
            f"the reference, same paths: its own minimum is so near to the TS on "
            f"{own} of {len(reactions)}, {number(proportion(own, len(reactions)))}",
        ),
    )


def path_minima(results: Results) -> pd.DataFrame:
    """Where the lowest mode is lowest along each path: a row for each loss, model and reaction.

    Returns
    -------
    DataFrame
        Columns loss, seed, reaction; `near`: the model's minimum lies within `NEAR` of the path from the
        reference's; `reference_at_ts`: so does the reference's from the TS.
    """
    rows = []
    for (loss, seed, reaction), path in _irc(results).groupby(["loss", "seed", "reaction"], sort=True):
        place = path["path_coordinate"].to_numpy(float)
        within = NEAR * np.ptp(place)
        here, there = (
            place[path[name].to_numpy().argmin()]
            for name in ("lowest_wavenumber", "lowest_wavenumber_reference")
        )
        near, at_ts = float(abs(here - there) <= within), float(abs(there) <= within)
        rows.append((loss, seed, reaction, near, at_ts))
    return pd.DataFrame(rows, columns=["loss", "seed", "reaction", "near", "reference_at_ts"])


def spectra_frequencies(results: Results) -> Evidence:
    """Root mean square error of all frequencies of E-F over that of E-F-H, on all IRC structures of the data.

    Reactions and models are resampled. At each structure the frequencies of model and reference are both
    sorted: matching by overlap of the modes would pair frequencies that no spectrum could tell apart, and
    makes errors larger, never smaller.
    """
    table = _irc(results)

    def errors(loss: str, ranges: Iterable[str]) -> EnsembleErrors:
        rows = table[table["loss"] == loss]
        require(len(rows), CURVATURE, loss)
        sums = {
            name: rows[[f"{column}_{part}" for part in ranges]].sum(axis=1)
            for name, column in (
                ("squared", "wavenumber_squared"),
                ("absolute", "wavenumber_error"),
                ("count", "modes"),
            )
        }
        return ensemble_errors(rows.assign(**sums), f"{loss}, frequencies")

    ef, efh = (errors(loss, RANGES) for loss in ("E-F", "E-F-H"))
    if len(efh.reactions) < 2:
        return Evidence([], ("one reaction",))
    ratio = Finding(
        label="root mean square error of sorted frequencies, E-F / E-F-H",
        estimate=estimate(lambda first, second: first / second, ef, efh),
        line=1,
    )
    beside = [
        f"root mean square error {RANGE_LABELS[part]}: "
        + ", ".join(f"{loss} {rmse(errors(loss, [part])).mean():.3g} cm⁻¹" for loss in ("E-F-H", "E-F"))
        for part in RANGES
        if table[f"modes_{part}"].any()
    ]
    for loss in ("E-F-H", "E-F"):
        rows = table[table["loss"] == loss]
        share = mean_estimate(rows, _share(lambda rows: rows["close"], lambda rows: rows["modes"]))
        if share:
            beside.append(
                f"share of frequencies within {CLOSE:g} cm⁻¹ of the reference's, {loss}: {number(share)}"
            )
    return Evidence([ratio], (), tuple(beside))


def _irc(results: Results) -> pd.DataFrame:
    table = results.table(CURVATURE)
    return table[table["set"] == "irc"]


def _share(top: Column, bottom: Column = lambda rows: pd.Series(1.0, rows.index)) -> Metric:
    return Metric("share", "", "", top, bottom, share=True)


def spectra_speedup(results: Results) -> Evidence:
    """CPU time of a DFT Hessian over that of E-F-H an image; GFN2-xTB's, if it is the reference, beside it.

    The time of DFT is a constant of this project, so the interval is stated: a factor of two either way.
    """
    cost = results.table(COST).set_index("source")
    for source in (REFERENCE, "E-F-H"):
        require(source in cost.index, COST, source)
    per_image = (cost["cpu_s"] / cost["images"]).groupby(level=0).mean()
    ratio = DFT_HESSIAN_CPU_S / per_image["E-F-H"]
    spectra = results.published.spectra
    speedup = Finding(
        label="CPU time of a Hessian, DFT / E-F-H",
        estimate=Estimate(ratio, ratio / STATED_FACTOR, ratio * STATED_FACTOR),
        line=1,
        published=spectra.reference_total / spectra.model_total,
        states="bound",
    )
    level = results.provenance(COST).level
    own = per_image[REFERENCE] / per_image["E-F-H"]
    return Evidence(
        [speedup],
        ("the time of DFT is that of 13 atoms on another machine; interval: a factor of two either way",),
        (f"the same of this run's reference, {level}: {own:.3g}",),
    )


STATISTICS = {
    "spectra_softening": spectra_softening,
    "spectra_frequencies": spectra_frequencies,
    "spectra_speedup": spectra_speedup,
}
"""Claim of published.yaml to the function that gives its evidence."""
