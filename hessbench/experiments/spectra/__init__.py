"""Vibrational frequencies along a reaction path (section 3.7)."""

from hessbench.experiments.registry import Experiment

EXPERIMENT = Experiment(
    "spectra", "Compare frequencies along a reaction path.", section="spectra", settings="SpectraConfig"
)
