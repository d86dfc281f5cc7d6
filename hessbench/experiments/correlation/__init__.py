"""Predictions against reference values (Figures S6 to S14)."""

from hessbench.experiments.registry import Experiment

EXPERIMENT = Experiment("correlation", "Bin predictions against reference values.")
