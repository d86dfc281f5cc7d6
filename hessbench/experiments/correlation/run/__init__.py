"""Binning predictions against reference values."""
