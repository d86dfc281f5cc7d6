"""Training the ensembles and predicting the reaction path."""
