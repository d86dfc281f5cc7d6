"""The models of all recipes: what each is trained with, and where it is kept."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from hessbench.config.loss_labels import PAPER_LOSSES
from hessbench.errors import ConfigurationError
from hessbench.experiments.errors.variants.trained import (
    Share,
    Variant,
    errors_of_variant,
    for_each,
    train_variant,
)
from hessbench.experiments.errors.variants.weights import reweighted
from hessbench.experiments.robustness.run.settings import Recipe, RobustnessConfig
from hessbench.potential.registry import ModelConfig
from hessbench.system.processes import Report
from hessbench.training.settings import TrainingConfig, labels_of


@dataclass(frozen=True)
class Training:
    """One model to train: by which recipe, with which loss, and the file it is kept in."""

    recipe: Recipe
    loss: str
    variant: Variant
    checkpoint: Path


def trainings(
    config: RobustnessConfig, model: ModelConfig, training: TrainingConfig, checkpoints: Path
) -> list[Training]:
    """All models to train, those that take longest first.

    Raises
    ------
    ConfigurationError
        The profile does not have E, E-F and E-F-H, or a recipe changes nothing.
    """
    missing = [name for name in PAPER_LOSSES if name not in training.losses]
    if missing:
        raise ConfigurationError(
            f"params.yaml: training.losses: {missing[0]} is missing; `hessbench robustness` trains "
            f"{', '.join(PAPER_LOSSES)}."
        )
    labels, losses = labels_of(training.losses), {name: training.losses[name] for name in PAPER_LOSSES}
    found = []
    for recipe in config.recipes:
        own, changed, reformed = recipe.model or model, training, losses
        if recipe.optimizer is not None:
            changed = training.model_copy(update={"optimizer": recipe.optimizer})
        if recipe.weights is not None:
            reformed = {name: reweighted(loss, recipe.weights) for name, loss in losses.items()}
        if (own, changed, reformed) == (model, training, losses):
            raise ConfigurationError(
                f"params.yaml: robustness.recipes: {recipe.name!r} is the recipe of the profile, which is "
                "trained anyway; leave it out."
            )
        for name, loss in reformed.items():
            for seed in range(training.first_seed, training.first_seed + config.seeds):
                file = checkpoints / recipe.folder / name / f"seed-{seed}.pt"
                found.append(Training(recipe, name, Variant(labels[name], loss, own, changed, seed), file))
    return sorted(found, key=lambda item: -item.variant.loss.derivatives)


def train_and_test(todo: list[Training], share: Share, config: TrainingConfig) -> pd.DataFrame:
    """Train every model and test it; `config.processes` at a time, or as many as the cluster has workers.

    A model that is finished with the same data, settings and code is not trained again; one that was
    interrupted goes on from its last checkpoint.

    Returns
    -------
    DataFrame
        Rows of the table `ERRORS` without percent, with the columns `folder` and `name`: recipe and loss.
    """
    epochs = len(todo) * config.epochs
    return for_each(_train_and_test, todo, share, config.processes, "robustness", epochs)


def _train_and_test(item: Training, share: Share, report: Report) -> pd.DataFrame:
    """Train one model, or take it from its checkpoint, and test it; runs in a process of its own."""
    model, _ = train_variant(item.variant, share, report, item.checkpoint)
    errors = errors_of_variant(model, item.variant, share)
    return errors.assign(folder=item.recipe.folder, name=item.loss)
