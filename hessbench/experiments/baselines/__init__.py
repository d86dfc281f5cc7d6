"""Errors of a potential that has learned nothing, for Tables 2 to 4 (sections 3.2 to 3.4)."""

from hessbench.experiments.registry import Experiment

EXPERIMENT = Experiment("baselines", "Score what predicts nothing on the test sets, to compare with.")
