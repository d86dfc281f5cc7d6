"""Readers of other people's data files, one module a format."""
