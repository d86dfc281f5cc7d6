"""Errors of a potential that has learned nothing."""
