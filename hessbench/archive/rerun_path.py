"""One reaction path and its frequencies, computed anew with archived models.

Both are of the reaction whose reference path the archive holds: its ends are those of the stored path, so
no level of theory is needed.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from hessbench.archive.layout import PARAMS, RESULTS
from hessbench.archive.model_rows import rows_with_models
from hessbench.archive.outcome import Difference, Found
from hessbench.config.base import load_section
from hessbench.experiments.neb.run.bands import relax_reaction
from hessbench.experiments.neb.run.settings import NebConfig
from hessbench.experiments.neb.run.tables import SUMMARY
from hessbench.experiments.spectra.run.frequencies import PathGeometries, path_modes
from hessbench.experiments.spectra.run.reference_path import read_reference_path
from hessbench.experiments.spectra.run.tables import SPECTRA
from hessbench.potential.evaluation import hessians
from hessbench.potential.registry import load
from hessbench.reactions.kinds import Kind, PathReaction
from hessbench.system.denormals import flushed_denormals

KIND: Kind = "single hydrogen transfer"
PREFERRED = ("E-F-H", "E-F", "E")
"""Losses whose band is relaxed anew, the first one of which the archived band converged."""
BARRIER = 0.1
"""Deviation of a barrier, kcal/mol: two bands that are converged to 0.05 eV/Angstrom may differ by this."""
WAVENUMBER = 0.5
"""Deviation of a wavenumber, cm-1: that of a soft mode is a square root of what single precision gives."""


def check_band(archive: Path) -> Found:
    """Relax one band anew, and compare how it ended, and its barrier.

    Raises
    ------
    HessbenchError
        A table is missing or damaged, or has no band of an archived model.
    """
    models, rows = rows_with_models(archive, SUMMARY, kind=KIND)
    row = _best_band(rows)
    model = models[row["loss"], row["seed"]]
    path = read_reference_path(archive / RESULTS, KIND)
    config = load_section(NebConfig, "neb", archive / PARAMS)
    with flushed_denormals():
        band = relax_reaction(_reaction(path), load(model.path), config)
    place = f"{path.reaction}, {model.label}, seed {model.seed}"
    file = SUMMARY.path(Path(RESULTS)).as_posix()
    if band.status != row["status"]:
        found = f"{band.status} ({band.reason})" if band.reason else band.status
        return Found(place, "same end", [Difference(file, f"{place}, status", str(row["status"]), found)])
    if band.status != "converged" or band.energies is None:
        return Found(place, f"both {band.status}")
    expected, barrier = float(row["barrier"]), float(band.energies.max())
    differences = []
    if abs(barrier - expected) > BARRIER:
        differences.append(
            Difference(file, f"{place}, barrier", f"{expected:.4f} kcal/mol", f"{barrier:.4f}")
        )
    return Found(
        f"{place}: {band.iterations} iterations",
        f"barrier {abs(barrier - expected):.2g} of {BARRIER:g} kcal/mol",
        differences,
    )


def check_spectrum(archive: Path) -> Found:
    """Compute the wavenumbers along the reference path anew, with every model that has archived ones.

    Raises
    ------
    HessbenchError
        A table is missing or damaged, or has no rows of an archived model.
    """
    models, spectra = rows_with_models(archive, SPECTRA)
    path = read_reference_path(archive / RESULTS, KIND)
    file = SPECTRA.path(Path(RESULTS)).as_posix()
    differences, worst = [], 0.0
    made = {(str(loss), int(seed)) for loss, seed in zip(spectra["loss"], spectra["seed"], strict=True)}
    for key, model in models.items():
        if key not in made:
            continue
        rows = spectra[(spectra["loss"] == model.label) & (spectra["seed"] == model.seed)]
        with flushed_denormals():
            modes = path_modes(path, hessians(load(model.path), path.batch))
        found = pd.concat(
            pd.DataFrame(
                {"image": image, "mode": np.arange(len(item.wavenumbers)), "found": item.wavenumbers}
            )
            for image, item in enumerate(modes)
        )
        joined = rows.merge(found, on=["image", "mode"], how="outer")
        deviation = (joined["found"] - joined["frequency_cm1"]).abs()
        worst = max(worst, float(deviation.max()))
        differences += [
            Difference(
                file,
                f"{model.label}, seed {model.seed}, image {row.image}, mode {row.mode}",
                f"{row.frequency_cm1:.2f} cm-1",
                f"{row.found:.2f}",
            )
            for row in joined[~(deviation <= WAVENUMBER)].itertuples()
        ]
    what = f"{len(made)} models at {len(path.coordinates)} structures of {path.reaction}"
    return Found(what, f"{worst:.2g} of {WAVENUMBER:g} cm-1", differences)


def _best_band(rows: pd.DataFrame) -> pd.Series:
    """Choose a band, one that converged if any did."""
    return min(
        (row for _, row in rows.iterrows()),
        key=lambda row: (
            row["status"] != "converged",
            PREFERRED.index(row["loss"]) if row["loss"] in PREFERRED else len(PREFERRED),
            row["seed"],
        ),
    )


def _reaction(path: PathGeometries) -> PathReaction:
    """The reaction of a path; its barrier does not matter to a band between its ends."""
    ends = path.coordinates
    highest = ends[path.transition_state]
    return PathReaction(path.reaction, KIND, path.numbers, ends[0], highest, ends[-1], float("nan"))
