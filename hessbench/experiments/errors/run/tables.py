"""The errors tables, results/errors/<loss>-<percent>.parquet, what failed, and what they are made from."""

from hessbench.config.inputs import Stage
from hessbench.results.store.tables import INTEGER, NUMBER, TEXT, Table

ERRORS = Table(
    "errors",
    {
        "loss": TEXT, "percent": INTEGER, "seed": INTEGER, "set": TEXT, "reaction": TEXT,
        "structure": INTEGER, "quantity": TEXT, "squared": NUMBER, "absolute": NUMBER, "count": INTEGER,
    },
    lowest={"squared": 0, "absolute": 0, "count": 1},
    key=("loss", "percent", "seed", "set", "reaction", "structure", "quantity"),
)  # fmt: skip
"""One row per structure, quantity and model: sums of squared and absolute errors over `count` elements."""

FAILURES = Table(
    "failures",
    {
        "loss": TEXT, "percent": INTEGER, "seed": INTEGER, "set": TEXT, "reaction": TEXT,
        "structure": INTEGER, "reason": TEXT,
    },
    key=("loss", "percent", "seed", "set", "reaction", "structure"),
    may_be_empty=True,
)  # fmt: skip
"""One row per structure for which a user's calculator fails, with the reason."""

STAGE = Stage(
    "evaluate", "hessbench.experiments.errors.run", settings=("evaluation.hessians_stored_at_percents",)
)
