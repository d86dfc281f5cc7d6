"""Evaluation of trained ensembles against reference data."""
