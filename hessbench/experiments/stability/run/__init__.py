"""Heating molecules."""
