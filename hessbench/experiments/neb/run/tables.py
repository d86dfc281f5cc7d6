"""Results tables of the reaction paths, and what they are made from."""

from hessbench.config.inputs import Stage
from hessbench.results.store.tables import INTEGER, NUMBER, TEXT, Table

PATHS = Table(
    "neb_paths",
    {
        "reaction": TEXT, "kind": TEXT, "loss": TEXT, "seed": INTEGER, "image": INTEGER,
        "path_coordinate": NUMBER, "energy": NUMBER,
    },
)  # fmt: skip
"""Energies along the bands; path_coordinate in Angstrom, 0 at the highest image."""
SUMMARY = Table(
    "neb_summary",
    {
        "reaction": TEXT, "kind": TEXT, "loss": TEXT, "seed": INTEGER, "status": TEXT, "reason": TEXT,
        "iterations": INTEGER, "max_force_ev_a": NUMBER, "barrier": NUMBER, "barrier_reference": NUMBER,
        "rmsd_ts": NUMBER,
    },
)  # fmt: skip
"""How each band ended."""
SPRINGS = Table(
    "neb_springs",
    {
        "spring_ev_a2": NUMBER, "reaction": TEXT, "kind": TEXT, "loss": TEXT, "seed": INTEGER, "status": TEXT,
        "reason": TEXT, "iterations": INTEGER, "max_force_ev_a": NUMBER, "barrier": NUMBER,
        "barrier_reference": NUMBER, "rmsd_ts": NUMBER,
    },
    key=("spring_ev_a2", "reaction", "loss", "seed"),
    may_be_empty=True,
)  # fmt: skip
"""The same for the bands of the held-out reactions with other springs; none if the profile has none."""
GEOMETRY = Table(
    "neb_geometry",
    {
        "reaction": TEXT, "loss": TEXT, "seed": INTEGER, "image": INTEGER, "atom": INTEGER,
        "number": INTEGER, "x": NUMBER, "y": NUMBER, "z": NUMBER,
    },
)  # fmt: skip
"""Geometries of the bands of the two reactions of the figures, a row an atom."""

STAGE = Stage("neb", "hessbench.experiments.neb.run", settings=("neb",), files=("neb.geometries",))
