"""Damaged inputs for every reader of files, in child processes: nothing crashes, hangs or is read wrongly."""
