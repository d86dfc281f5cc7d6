"""Reaction paths by nudged elastic bands (section 3.6)."""
