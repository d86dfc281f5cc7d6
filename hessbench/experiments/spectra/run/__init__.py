"""Frequencies of models and reference."""
