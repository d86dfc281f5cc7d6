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
VARIANTS = Table(
    "single_ts_variants",
    {"variant": INTEGER, "energy_unit": NUMBER, "model": TEXT, "models": INTEGER},
    key=("variant",),
    may_be_empty=True,
)
"""Ensembles of other models in the order of the profile, after its own (0); none if it has no others. `model`
says in what they differ from the profile's; energies of variant k along the path are the table single_ts in
the folder single_ts_variants/<k>."""

STAGE = Stage(
    "single_ts",
    "hessbench.experiments.single_ts.run",
    settings=("single_ts",),
    data={"single-ts": "single_ts.data"},
)
