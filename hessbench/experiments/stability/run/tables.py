"""Results tables of the stability test, and what they are made from."""

from hessbench.config.inputs import Stage
from hessbench.results.store.tables import INTEGER, NUMBER, TEXT, Table

_COLUMNS = {
    "loss": TEXT, "seed": INTEGER, "molecule": TEXT, "replica": INTEGER, "status": TEXT, "reason": TEXT,
    "bond": TEXT, "temperature_k": NUMBER, "time_fs": NUMBER, "cap_k": NUMBER, "rate_k_per_ps": NUMBER,
}  # fmt: skip
_NULLABLE = frozenset({"bond"})  # nothing broke
STABILITY = Table("stability", _COLUMNS, nullable=_NULLABLE)
"""How each run ended: of every molecule with every model, with the mean of an ensemble's models (seed 0), and
at the reference level (seed -1), which may have been heated at another rate and to another cap."""
RATES = Table("stability_rates", _COLUMNS, nullable=_NULLABLE, may_be_empty=True)
"""The same for one molecule heated at other rates."""
TRAJECTORY = Table(
    "stability_trajectory",
    {
        "molecule": TEXT, "loss": TEXT, "seed": INTEGER, "frame": INTEGER, "time_fs": NUMBER,
        "temperature_k": NUMBER, "atom": INTEGER, "number": INTEGER, "x": NUMBER, "y": NUMBER, "z": NUMBER,
    },
)  # fmt: skip
"""Frames of one molecule, a row an atom."""


def mean_label(loss: str) -> str:
    """How the mean of the models of a loss is called in the place of a loss."""
    return f"mean of {loss}"


STAGE = Stage(
    "stability",
    "hessbench.experiments.stability.run",
    settings=("stability",),
    files=("stability.molecules",),
)
