"""A cut through a potential energy surface (Figure 1)."""

from hessbench.experiments.registry import Experiment

EXPERIMENT = Experiment("surface", "Cut a potential energy surface.")
