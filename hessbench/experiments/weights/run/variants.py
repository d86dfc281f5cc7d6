"""Models of losses whose weights are changed, and how their errors are told."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from hessbench.errors import ConfigurationError
from hessbench.experiments.errors.run.rmse import summarize
from hessbench.experiments.errors.variants.study import Study
from hessbench.experiments.errors.variants.trained import Variant
from hessbench.experiments.errors.variants.weights import reweighted
from hessbench.experiments.weights.run.settings import WeightsConfig
from hessbench.experiments.weights.run.tables import WEIGHTS
from hessbench.results.store.names import UNITS
from hessbench.training.settings import LossConfig, labels_of

LOSSES = ("efh", "ef")
"""What is trained with each pair of weights; the longer trainings first, so that no process waits long."""


@dataclass(frozen=True)
class Reweighted:
    """One model to train: its loss has other weights, which the table names; and where it is kept."""

    variant: Variant
    weights: str
    checkpoint: Path


def variants(study: Study[WeightsConfig]) -> list[Reweighted]:
    """All models to train.

    Raises
    ------
    ConfigurationError
        The profile does not have one of the losses, or a pair has the force weight of the profile itself.
    """
    training = study.training
    for name in LOSSES:
        if name not in training.losses or training.losses[name].term("force") is None:
            raise ConfigurationError(
                f"params.yaml: training.losses: {name} with a force term is missing; `hessbench weights` "
                "changes its weights."
            )
    labels = labels_of(training.losses)
    found = []
    for name in LOSSES:
        own = weights_of(training.losses[name])
        for pair in study.config.pairs:
            loss = reweighted(training.losses[name], pair)
            if weights_of(loss)["force_weight"] == own["force_weight"]:
                raise ConfigurationError(
                    f"params.yaml: weights.pairs: force weight {pair.force:g} is that of {name} in "
                    "training.losses, which is trained anyway; leave the pair out."
                )
            folder = study.checkpoints / f"{name}-force-{pair.force:g}-hessian-{pair.hessian:g}"
            for seed in study.seeds:
                variant = Variant(labels[name], loss, study.model, training, seed)
                found.append(Reweighted(variant, pair.text, folder / f"seed-{seed}.pt"))
    return found


def weights_of(loss: LossConfig) -> dict[str, float | None]:
    """Columns of the results table: weights of force and Hessian, None for a term that the loss lacks."""
    force, hessian = loss.term("force"), loss.term("hessian")
    return {
        "force_weight": force.weight if force else None,
        "hessian_weight": hessian.weight if hessian else None,
    }


def rows_of(errors: pd.DataFrame, weights: str, loss: LossConfig) -> pd.DataFrame:
    """Rows of the table `WEIGHTS` from rows of an errors table of one loss."""
    summary = summarize(errors)
    rows = summary.assign(weights=weights, unit=summary["quantity"].map(UNITS), **weights_of(loss))
    rows["hessian_weight"] = rows["hessian_weight"].astype(float)  # a column of None alone has no kind
    return rows[list(WEIGHTS.columns)]
