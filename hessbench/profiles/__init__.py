"""Profiles: all settings of a run, one file in reproduce/profiles; params.yaml is the active one."""
