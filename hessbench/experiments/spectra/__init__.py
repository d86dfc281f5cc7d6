"""Vibrational frequencies along a reaction path (section 3.7)."""
