"""Models of other recipes and their errors, kept as those of the ensembles are."""
