"""Results tables of other recipes, and what they are made from."""

from hessbench.config.inputs import Stage
from hessbench.results.store.tables import INTEGER, TEXT, Table
from hessbench.training.stage import RECIPE

ROBUSTNESS = Table(
    "robustness", {"recipe": TEXT, "folder": TEXT, "models": INTEGER}, key=("recipe",), may_be_empty=True
)
"""The recipes in the order of the profile; none if it has none. The errors of each lie in results/robustness/
<folder>/errors, in tables of the form of `hessbench.experiments.errors.run.tables.ERRORS`."""

STAGE = Stage(
    "robustness", "hessbench.experiments.robustness.run", settings=("robustness", "training.losses", *RECIPE)
)
