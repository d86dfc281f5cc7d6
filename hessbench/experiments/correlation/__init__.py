"""Predictions against reference values (Figures S6 to S14)."""
