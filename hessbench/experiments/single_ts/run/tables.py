"""Results tables of the single-TS experiment, and what they are made from."""

from hessbench.config.inputs import Stage
from hessbench.results.store.tables import FLAG, INTEGER, NUMBER, TEXT, Table

SINGLE_TS = Table(
    "single_ts",
    {
        "loss": TEXT, "model": INTEGER, "structure": INTEGER, "path_coordinate": NUMBER, "energy": NUMBER,
        "reason": TEXT,
    },
)  # fmt: skip
"""Energies along the path; path_coordinate in amu^0.5 Angstrom, 0 at the TS; the reference is model -1."""
MODES = Table(
    "single_ts_modes",
    {
        "loss": TEXT, "model": INTEGER, "lowest_frequency_cm1": NUMBER, "negative_modes": INTEGER,
        "ts_is_maximum": FLAG, "energy_error": NUMBER, "force_error": NUMBER, "hessian_error": NUMBER,
        "reason": TEXT,
    },
)  # fmt: skip
"""What each model says about the TS, with its root mean square errors there."""

STAGE = Stage(
    "single_ts",
    "hessbench.experiments.single_ts.run",
    settings=("single_ts",),
    data={"single-ts": "single_ts.data"},
)
