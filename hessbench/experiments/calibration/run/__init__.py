"""Errors of ensemble means and spreads over the models."""
