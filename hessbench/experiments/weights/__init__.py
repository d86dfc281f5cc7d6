"""Errors against the weights of force and Hessian in the loss: how much of an effect the weights are."""

from hessbench.experiments.registry import Experiment

EXPERIMENT = Experiment(
    "weights",
    "Train with other weights of the losses.",
    section="weights",
    settings="WeightsConfig",
)
