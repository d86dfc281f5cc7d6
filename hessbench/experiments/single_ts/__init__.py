"""Ensembles trained on one transition state (section 3.1)."""
