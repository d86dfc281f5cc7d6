"""Results table of the baselines, and what it is made from."""

from hessbench.config.inputs import Stage
from hessbench.results.store.tables import INTEGER, NUMBER, TEXT, Table

BASELINES = Table(
    "baselines",
    {
        "set": TEXT, "reaction": TEXT, "structure": INTEGER, "quantity": TEXT, "squared": NUMBER,
        "absolute": NUMBER, "count": INTEGER,
    },
    lowest={"squared": 0, "absolute": 0, "count": 1},
    key=("set", "reaction", "structure", "quantity"),
)  # fmt: skip
"""One row per structure and quantity: sums of squared and absolute errors over `count` elements."""

STAGE = Stage("baselines", "hessbench.experiments.baselines.run")
