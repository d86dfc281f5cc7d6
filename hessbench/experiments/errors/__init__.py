"""Errors on stationary points, paths and displaced structures (sections 3.2 to 3.4 and 3.8)."""
