"""Timing epochs."""
