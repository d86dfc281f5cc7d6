"""Results tables of the frequencies along a reaction path, and what they are made from."""

from hessbench.config.inputs import Stage
from hessbench.results.store.tables import INTEGER, NUMBER, TEXT, Table

SPECTRA = Table(
    "spectra",
    {
        "reaction": TEXT, "loss": TEXT, "seed": INTEGER, "image": INTEGER, "path_coordinate": NUMBER,
        "mode": INTEGER, "frequency_cm1": NUMBER, "reference_frequency_cm1": NUMBER,
    },
)  # fmt: skip
"""Frequencies at every image, each with the reference's of the same rank."""
SUMMARY = Table(
    "spectra_summary",
    {
        "reaction": TEXT, "loss": TEXT, "seed": INTEGER, "rms_error_cm1": NUMBER,
        "mean_absolute_error_cm1": NUMBER, "rms_error_transverse_cm1": NUMBER, "reaction_mode_ts_cm1": NUMBER,
        "reference_reaction_mode_ts_cm1": NUMBER, "softening_cm1": NUMBER, "reference_softening_cm1": NUMBER,
        "softest_at": NUMBER, "reference_softest_at": NUMBER, "reason": TEXT,
    },
)  # fmt: skip
"""Errors of each model, and the softening of its reaction mode; places in Angstrom along the path.

Where a user's potential fails at an image, `reason` says why in place of numbers.
"""
COST = Table("spectra_cost", {"source": TEXT, "seed": INTEGER, "images": INTEGER, "cpu_s": NUMBER})
"""CPU time of all Hessians of the path, for the reference and each model."""

STAGE = Stage("spectra", "hessbench.experiments.spectra.run", settings=("spectra",))
