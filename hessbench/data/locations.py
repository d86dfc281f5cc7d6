"""Where the data sets are."""

from pathlib import Path

SETS = ("rtp", "irc", "nms")
"""Stationary points (trained and tested on), reaction paths, displaced structures: section 2.1."""
ACTIVE = Path("data/active")
GENERATED = Path("data/generated")
SPLIT = "split.json"
"""Split of the active stationary points, in the folder of results."""


def active_file(name: str) -> Path:
    """Path of a set of the active data, where all stages look for it."""
    return ACTIVE / f"{name}.h5"
