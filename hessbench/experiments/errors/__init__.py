"""Errors on stationary points, paths and displaced structures (sections 3.2 to 3.4 and 3.8)."""

from hessbench.experiments.registry import Experiment

EXPERIMENT = Experiment(
    "evaluate",
    "Predict and score an ensemble on the test sets.",
    section="evaluation",
    settings="EvaluationConfig",
)
