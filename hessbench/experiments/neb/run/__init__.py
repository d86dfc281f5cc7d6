"""Relaxing bands."""
