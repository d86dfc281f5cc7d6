"""Results table of the composition of the data sets, and what it is made from."""

from hessbench.config.inputs import Stage
from hessbench.results.store.tables import INTEGER, TEXT, Table

COMPOSITION = Table(
    "composition",
    {
        "set": TEXT, "reaction": TEXT, "structure": INTEGER, "kind": TEXT, "name": TEXT, "count": INTEGER,
        "reason": TEXT,
    },
)  # fmt: skip
"""Atoms and bonds of every structure; see `hessbench.experiments.composition.run.count`."""

STAGE = Stage("composition", "hessbench.experiments.composition.run")
