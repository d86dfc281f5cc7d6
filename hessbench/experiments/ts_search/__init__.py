"""Transition state searches with Sella, with the potential's own Hessian and without."""

from hessbench.experiments.registry import Experiment

EXPERIMENT = Experiment(
    "ts-search",
    "Search transition states of held-out reactions, with and without Hessians.",
    section="ts_search",
    settings="TsSearchConfig",
)
