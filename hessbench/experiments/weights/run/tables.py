"""Results table of errors against weights, and what it is made from."""

from hessbench.config.inputs import Stage
from hessbench.results.store.tables import INTEGER, NUMBER, TEXT, Table
from hessbench.training.stage import RECIPE

WEIGHTS = Table(
    "weights",
    {
        "loss": TEXT, "weights": TEXT, "force_weight": NUMBER, "hessian_weight": NUMBER, "seed": INTEGER,
        "set": TEXT, "quantity": TEXT, "unit": TEXT, "rmse": NUMBER,
    },
    nullable=frozenset({"hessian_weight"}),
    lowest={"force_weight": 0, "hessian_weight": 0, "rmse": 0},
    key=("loss", "weights", "seed", "set", "quantity"),
)  # fmt: skip
"""RMSE of each model over a test set. `weights` is `OWN`, or names a pair of the profile, "0.08 / 0.02": what
E-F and E-F-H have in common, though E-F has no Hessian weight."""
OWN = "profile"
"""In the column `weights`: those of training.losses, with which the stage train trains."""

STAGE = Stage(
    "weights", "hessbench.experiments.weights.run", settings=("weights", "training.losses", *RECIPE)
)
