"""Profiles and params.yaml: one validated schema, one module a section (see `profile`)."""
