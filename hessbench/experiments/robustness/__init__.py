"""Errors of E, E-F and E-F-H trained by other recipes: which claims hang on how the models are trained."""

from hessbench.experiments.registry import Experiment

EXPERIMENT = Experiment(
    "robustness",
    "Train by other recipes, to see which claims hold under all.",
    section="robustness",
    settings="RobustnessConfig",
)
