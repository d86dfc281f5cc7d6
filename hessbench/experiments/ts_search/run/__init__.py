"""What computes the results; the stage of dvc.yaml depends on this folder."""
