"""Results table of the time of a training epoch, and what it is made from."""

from hessbench.config.inputs import Stage
from hessbench.results.store.tables import FLAG, INTEGER, NUMBER, TEXT, Table

EPOCH_COST = Table(
    "epoch_cost",
    {
        "loss": TEXT, "engine": TEXT, "structures": INTEGER, "percent": INTEGER, "repeat": INTEGER,
        "seconds": NUMBER, "timed_structures": INTEGER, "extrapolated": FLAG,
    },
)  # fmt: skip
"""Seconds of an epoch; extrapolated from fewer structures in proportion to their number."""

STAGE = Stage(
    "epoch_cost",
    "hessbench.experiments.epoch_cost.run",
    settings=(
        "epoch_cost",
        "model",
        "training.losses",
        "training.batch_size",
        "training.form",
        "training.optimizer",
    ),
)
