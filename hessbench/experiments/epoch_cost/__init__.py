"""Time of a training epoch against the amount of data (section 3.8)."""

from hessbench.experiments.registry import Experiment

EXPERIMENT = Experiment(
    "epoch-cost",
    "Time training epochs against the amount of data.",
    section="epoch_cost",
    settings="EpochCostConfig",
)
