"""Molecular dynamics until a bond breaks (section 3.5)."""

from hessbench.experiments.registry import Experiment

EXPERIMENT = Experiment(
    "stability",
    "Heat molecules with trained models until a bond breaks.",
    section="stability",
    settings="StabilityConfig",
)
