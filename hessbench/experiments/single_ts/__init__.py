"""Ensembles trained on one transition state (section 3.1)."""

from hessbench.experiments.registry import Experiment

EXPERIMENT = Experiment(
    "single-ts",
    "Train ensembles on one transition state and predict its path.",
    section="single_ts",
    settings="SingleTSConfig",
)
