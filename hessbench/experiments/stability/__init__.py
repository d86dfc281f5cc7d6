"""Molecular dynamics until a bond breaks (section 3.5)."""
