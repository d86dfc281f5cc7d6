"""Results table of predictions against reference values, and what it is made from."""

from hessbench.config.inputs import Stage
from hessbench.results.store.tables import INTEGER, NUMBER, TEXT, Table

CORRELATION = Table(
    "correlation",
    {
        "loss": TEXT, "set": TEXT, "quantity": TEXT, "reference_bin": NUMBER, "predicted_bin": NUMBER,
        "count": INTEGER,
    },
)  # fmt: skip
"""Number of values in each bin that holds any, by the centres of the bin."""

STAGE = Stage("correlation", "hessbench.experiments.correlation.run")
