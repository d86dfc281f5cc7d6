"""Results table of errors against processor time, and what it is made from."""

from hessbench.config.inputs import Stage
from hessbench.results.store.tables import INTEGER, NUMBER, TEXT, Table
from hessbench.training.stage import RECIPE

COST = Table(
    "cost",
    {
        "loss": TEXT, "length": NUMBER, "epochs": INTEGER, "seed": INTEGER, "quantity": TEXT, "unit": TEXT,
        "rmse": NUMBER, "cpu_seconds": NUMBER,
    },
    lowest={"length": 0, "epochs": 1, "rmse": 0, "cpu_seconds": 0},
    key=("loss", "length", "seed", "quantity"),
)  # fmt: skip
"""RMSE of each model over the held-out stationary points, and the processor time of its training, s."""

STAGE = Stage("cost", "hessbench.experiments.cost.run", settings=("cost", "training.losses", *RECIPE))
