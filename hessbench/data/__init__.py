"""Data sets: the one layout, the active data, what others have published."""
