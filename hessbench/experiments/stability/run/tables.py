"""Results tables of the stability test, and what they are made from."""

from hessbench.config.inputs import Stage
from hessbench.results.store.tables import INTEGER, NUMBER, TEXT, Table

STABILITY = Table(
    "stability",
    {
        "loss": TEXT, "seed": INTEGER, "molecule": TEXT, "status": TEXT, "reason": TEXT, "bond": TEXT,
        "temperature_k": NUMBER, "time_fs": NUMBER, "cap_k": NUMBER,
    },
    nullable=frozenset({"bond"}),  # nothing broke
)  # fmt: skip
"""How the heating of each molecule with each model ended."""
TRAJECTORY = Table(
    "stability_trajectory",
    {
        "molecule": TEXT, "loss": TEXT, "seed": INTEGER, "frame": INTEGER, "time_fs": NUMBER,
        "temperature_k": NUMBER, "atom": INTEGER, "number": INTEGER, "x": NUMBER, "y": NUMBER, "z": NUMBER,
    },
)  # fmt: skip
"""Frames of one molecule, a row an atom."""

STAGE = Stage(
    "stability",
    "hessbench.experiments.stability.run",
    settings=("stability",),
    files=("stability.molecules",),
)
