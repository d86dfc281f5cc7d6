"""Reaction paths by nudged elastic bands (section 3.6)."""

from hessbench.experiments.registry import Experiment

EXPERIMENT = Experiment(
    "neb", "Relax reaction paths with trained models.", section="neb", settings="NebConfig"
)
