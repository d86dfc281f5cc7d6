"""The models of all recipes: what each is trained with, and where it is kept."""

from dataclasses import dataclass
from pathlib import Path

from hessbench.config.loss_labels import PAPER_LOSSES
from hessbench.errors import ConfigurationError
from hessbench.experiments.errors.variants.study import Study
from hessbench.experiments.errors.variants.trained import Variant
from hessbench.experiments.errors.variants.weights import reweighted
from hessbench.experiments.robustness.run.settings import Recipe, RobustnessConfig
from hessbench.training.settings import labels_of


@dataclass(frozen=True)
class Training:
    """One model to train: by which recipe, with which loss, and the file it is kept in."""

    recipe: Recipe
    loss: str
    variant: Variant
    checkpoint: Path


def trainings(study: Study[RobustnessConfig]) -> list[Training]:
    """All models to train, those that take longest first.

    Raises
    ------
    ConfigurationError
        The profile does not have E, E-F and E-F-H, or a recipe changes nothing.
    """
    model, training = study.model, study.training
    missing = [name for name in PAPER_LOSSES if name not in training.losses]
    if missing:
        raise ConfigurationError(
            f"params.yaml: training.losses: {missing[0]} is missing; `hessbench robustness` trains "
            f"{', '.join(PAPER_LOSSES)}."
        )
    labels, losses = labels_of(training.losses), {name: training.losses[name] for name in PAPER_LOSSES}
    found = []
    for recipe in study.config.recipes:
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
            for seed in study.seeds:
                file = study.checkpoints / recipe.folder / name / f"seed-{seed}.pt"
                found.append(Training(recipe, name, Variant(labels[name], loss, own, changed, seed), file))
    return sorted(found, key=lambda item: -item.variant.loss.derivatives)
