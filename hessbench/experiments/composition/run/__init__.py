"""Counting elements and bonds."""
