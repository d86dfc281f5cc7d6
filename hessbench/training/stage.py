"""The stage `train`: what trained models are made from."""

from hessbench.config.inputs import Stage

STAGE = Stage(
    "train",
    "hessbench.training",
    settings=(
        "model",
        "training.losses.{loss}",
        "training.seeds",
        "training.seeds_of_smaller_shares",
        "training.first_seed",
        "training.epochs",
        "training.minimum_steps",
        "training.batch_size",
        "training.form",
        "training.optimizer",
        "training.keep",
        "split.training_percents.{percent}",
    ),
)
