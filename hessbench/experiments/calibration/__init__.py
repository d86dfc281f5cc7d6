"""Errors of the mean over an ensemble, and whether the spread of its models tells them."""

from hessbench.experiments.registry import Experiment

EXPERIMENT = Experiment("calibration", "Compare errors of an ensemble's mean with the spread of its models.")
