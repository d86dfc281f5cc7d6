"""Comparison of a run with the paper's numbers and claims, and with pinned values of earlier runs."""
