"""Training: losses of eqs. 3 to 6, optimizers, checkpoints, ensembles of seeds."""
