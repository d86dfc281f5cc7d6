"""Models of losses whose weights are changed: trained as by `hessbench train`, and their errors."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from hessbench.cluster.workers import workers
from hessbench.data.split import Split
from hessbench.data.structures import Structures
from hessbench.errors import ConfigurationError
from hessbench.experiments.errors.run.ensemble import TestSet, errors_of_model
from hessbench.experiments.errors.run.rmse import summarize
from hessbench.experiments.weights.run.settings import Weights, WeightsConfig
from hessbench.experiments.weights.run.tables import WEIGHTS
from hessbench.potential.registry import ModelConfig
from hessbench.results.store.names import UNITS
from hessbench.system.processes import Report, run_tasks
from hessbench.training.fingerprint import describe, fingerprint
from hessbench.training.loop import Row, train
from hessbench.training.preparation import examples, prepared
from hessbench.training.settings import LossConfig, TrainingConfig, labels_of

LOSSES = ("efh", "ef")
"""What is trained with each pair of weights; the longer trainings first, so that no process waits long."""


@dataclass(frozen=True)
class Variant:
    """One model to train: a loss with other weights, and a seed."""

    label: str
    weights: str
    loss: LossConfig
    seed: int
    checkpoint: Path


@dataclass(frozen=True)
class Material:
    """What all models are trained and tested on, and how; the losses of `config` are not looked at."""

    training: Structures
    validation: Structures
    data: tuple[str, np.ndarray, np.ndarray]
    tested: dict[str, TestSet]
    model: ModelConfig
    config: TrainingConfig
    batch_size: int


def reweighted(loss: LossConfig, weights: Weights) -> LossConfig:
    """The same loss with other weights of force and Hessian, as far as it has these terms."""
    changed = {"force": weights.force, "hessian": weights.hessian}
    terms = (
        term.model_copy(update={"weight": changed.get(term.quantity, term.weight)}) for term in loss.terms
    )
    return loss.model_copy(update={"terms": tuple(terms)})


def variants(config: WeightsConfig, training: TrainingConfig, checkpoints: Path) -> list[Variant]:
    """All models to train.

    Raises
    ------
    ConfigurationError
        The profile does not have one of the losses, or a pair has the force weight of the profile itself.
    """
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
        for pair in config.pairs:
            loss = reweighted(training.losses[name], pair)
            if weights_of(loss)["force_weight"] == own["force_weight"]:
                raise ConfigurationError(
                    f"params.yaml: weights.pairs: force weight {pair.force:g} is that of {name} in "
                    "training.losses, which is trained anyway; leave the pair out."
                )
            folder = checkpoints / f"{name}-force-{pair.force:g}-hessian-{pair.hessian:g}"
            for seed in range(training.first_seed, training.first_seed + config.seeds):
                found.append(Variant(labels[name], pair.text, loss, seed, folder / f"seed-{seed}.pt"))
    return found


def weights_of(loss: LossConfig) -> dict[str, float | None]:
    """Columns of the results table: weights of force and Hessian, None for a term that the loss lacks."""
    force, hessian = loss.term("force"), loss.term("hessian")
    return {
        "force_weight": force.weight if force else None,
        "hessian_weight": hessian.weight if hessian else None,
    }


def train_and_test(
    todo: list[Variant],
    structures: Structures,
    split: Split,
    tested: dict[str, TestSet],
    model: ModelConfig,
    config: TrainingConfig,
    batch_size: int,
) -> pd.DataFrame:
    """Train every model on the largest share of the data, and test it.

    As many at a time as `config.processes`, or as the cluster has workers.

    A model that is finished with the same data, settings and code is not trained again; one that was
    interrupted goes on from its last checkpoint.

    Parameters
    ----------
    todo
        The models.
    structures, split
        The whole data set, and how it is shared out.
    tested
        Test sets by name.
    model, config
        Settings.
    batch_size
        Structures predicted at once.

    Returns
    -------
    DataFrame
        Rows of the table `WEIGHTS`.
    """
    indices = split.training_at(max(split.sizes))
    material = Material(
        structures.select(indices),
        structures.select(split.validation),
        (split.data, indices, split.validation),
        tested,
        model,
        config,
        batch_size,
    )
    with tqdm(total=len(todo) * config.epochs, desc="weights", unit="epoch", smoothing=0.1) as bar:

        def advance(row: Row) -> None:
            bar.update()

        tables = run_tasks(_train_and_test, todo, material, workers(config.processes), advance)
    return pd.concat(tables, ignore_index=True)


def rows_of(errors: pd.DataFrame, weights: str, loss: LossConfig) -> pd.DataFrame:
    """Rows of the table `WEIGHTS` from rows of an errors table of one loss."""
    summary = summarize(errors)
    rows = summary.assign(weights=weights, unit=summary["quantity"].map(UNITS), **weights_of(loss))
    rows["hessian_weight"] = rows["hessian_weight"].astype(float)  # a column of None alone has no kind
    return rows[list(WEIGHTS.columns)]


def _train_and_test(variant: Variant, material: Material, report: Report) -> pd.DataFrame:
    """Train one model, or take it from its checkpoint, and test it; runs in a process of its own."""
    description = describe(*material.data, variant.loss, material.model, material.config)
    model = prepared(material.model, variant.seed, material.training)
    train(
        model,
        examples(model, material.training),
        examples(model, material.validation),
        variant.loss,
        material.config,
        variant.seed,
        checkpoint=variant.checkpoint,
        fingerprint=fingerprint(description, variant.seed),
        report=report,
        label=f"{variant.label} with other weights, seed {variant.seed}",
    )
    errors = errors_of_model(model, variant.seed, material.tested, material.batch_size)
    return rows_of(errors.assign(loss=variant.label, percent=0), variant.weights, variant.loss)
