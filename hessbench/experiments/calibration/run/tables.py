"""Results table of the calibration, and what it is made from."""

from hessbench.config.inputs import Stage
from hessbench.results.store.tables import INTEGER, NUMBER, TEXT, Table

CALIBRATION = Table(
    "calibration",
    {
        "loss": TEXT, "models": INTEGER, "set": TEXT, "reaction": TEXT, "structure": INTEGER,
        "quantity": TEXT, "squared": NUMBER, "variance": NUMBER, "count": INTEGER,
    },
    lowest={"models": 2, "squared": 0, "variance": 0, "count": 1},
    key=("loss", "set", "reaction", "structure", "quantity"),
)  # fmt: skip
"""One row per structure and quantity, sums over `count` elements.

`squared`: squared errors of the mean prediction of the ensemble; `variance`: sample variances over its
models.
"""

STAGE = Stage("calibration", "hessbench.experiments.calibration.run")
