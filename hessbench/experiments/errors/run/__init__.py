"""Predicting the test sets and summing the errors."""
