"""The stage `train`: what trained models are made from."""

from hessbench.config.inputs import Stage

RECIPE = (
    "model",
    "training.first_seed",
    "training.epochs",
    "training.minimum_steps",
    "training.batch_size",
    "training.batch_by_share",
    "training.form",
    "training.optimizer",
    "training.tf32",
    "training.keep",
    "training.watch",
)
"""Settings that decide about every model, whatever its loss and the size of its training set."""
STAGE = Stage(
    "train",
    "hessbench.training",
    settings=(
        *RECIPE,
        "training.losses.{loss}",
        "training.seeds",
        "training.seeds_of_smaller_shares",
        "split.training_percents.{percent}",
    ),
)
