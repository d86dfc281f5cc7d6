"""Errors against processor time of training, by how Hessians enter the loss: exact, by probes, by rows."""

from hessbench.experiments.registry import Experiment

EXPERIMENT = Experiment(
    "cost",
    "Errors against the cost of training with Hessians.",
    section="cost",
    settings="CostConfig",
)
