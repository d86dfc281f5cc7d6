"""Time of a training epoch against the amount of data (section 3.8)."""
