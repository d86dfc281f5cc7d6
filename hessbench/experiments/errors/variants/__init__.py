"""Models that are trained otherwise than the ensembles of a profile, and tested like these."""
