"""Data sets from reaction geometries at a level of theory."""
