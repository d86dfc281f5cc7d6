"""Models whose loss sees Hessians in different ways: trained alike, with their processor time, and tested."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from hessbench.errors import ConfigurationError
from hessbench.experiments.cost.run.settings import CostConfig
from hessbench.experiments.cost.run.tables import COST
from hessbench.experiments.errors.run.rmse import summarize
from hessbench.experiments.errors.variants.study import Study
from hessbench.experiments.errors.variants.trained import (
    Share,
    Variant,
    errors_of_variant,
    train_variant,
)
from hessbench.results.store.names import UNITS
from hessbench.system.files import write_text
from hessbench.system.processes import Report
from hessbench.system.reading import reading
from hessbench.training.batches import Examples
from hessbench.training.loop import train
from hessbench.training.preparation import examples, prepared
from hessbench.training.settings import ESTIMATED, LossConfig, TrainingConfig, labels_of

EXACT = ("efh", "ef")
"""Losses of the profile that are trained as they are."""


@dataclass(frozen=True)
class Training:
    """One model to train, how long in units of the profile's training, and the folder of finished rows."""

    variant: Variant
    length: float
    kept: Path


def trainings(study: Study[CostConfig]) -> list[Training]:
    """All models to train, those that take longest first.

    Raises
    ------
    ConfigurationError
        The profile does not have E-F and E-F-H, or the Hessian's error of the latter is not exact.
    """
    config, training = study.config, study.training
    missing = [name for name in EXACT if name not in training.losses]
    hessian = None if missing else training.losses["efh"].term(ESTIMATED)
    if missing or hessian is None or hessian.estimator != "exact":
        raise ConfigurationError(
            "params.yaml: training.losses: ef, and efh with an exact error of the Hessian, are needed; "
            "`hessbench cost` compares estimates with them."
        )
    labels = labels_of(training.losses)
    losses = {labels[name]: training.losses[name] for name in EXACT}
    for estimator in config.estimators:
        change = {"estimator": estimator.kind, "count": estimator.count}
        terms = (
            term.model_copy(update=change) if term.quantity == ESTIMATED else term
            for term in training.losses["efh"].terms
        )
        losses[estimator.text] = LossConfig(terms=tuple(terms))
    return [
        Training(
            Variant(label, loss, study.model, of_length(training, length), seed), length, study.checkpoints
        )
        for length in sorted(config.lengths, reverse=True)
        for label, loss in losses.items()
        for seed in study.seeds
    ]


def of_length(config: TrainingConfig, length: float) -> TrainingConfig:
    """Settings of a training that takes `length` times as many steps."""
    return config.model_copy(
        update={
            "epochs": max(1, round(config.epochs * length)),
            "minimum_steps": round(config.minimum_steps * length),
        }
    )


def train_and_test(item: Training, share: Share, report: Report) -> pd.DataFrame:
    """Train one model and test it.

    What is finished with the same data, settings and code is not trained again; what was interrupted is begun
    anew, because processor time is measured over whole trainings.

    Returns
    -------
    DataFrame
        Rows of the table `COST`.
    """
    variant = item.variant
    file = item.kept / f"{share.fingerprint(variant)}.json"
    if file.exists():
        with reading(file, "is no kept result", "remove it"):
            found = json.loads(file.read_text(encoding="utf-8"))
            rmse = {str(quantity): float(value) for quantity, value in found["rmse"].items()}
            seconds = float(found["cpu_seconds"])
        report(variant.config.epochs)
    else:
        _warm_up(variant, share)
        model, seconds = train_variant(variant, share, report)
        summary = summarize(errors_of_variant(model, variant, share).assign(percent=0))
        rmse = dict(zip(summary["quantity"].tolist(), summary["rmse"].tolist(), strict=True))
        write_text(file, json.dumps({"rmse": rmse, "cpu_seconds": seconds}) + "\n")
    rows = pd.DataFrame({"quantity": list(rmse), "rmse": list(rmse.values())})
    rows = rows.assign(
        loss=variant.label,
        length=item.length,
        epochs=variant.config.epochs,
        seed=variant.seed,
        cpu_seconds=seconds,
    )
    return rows.assign(unit=rows["quantity"].map(UNITS))[list(COST.columns)]


def _warm_up(variant: Variant, share: Share) -> None:
    """Train on two structures, so that kernels are compiled, or read from the cache, before the clock."""
    model = prepared(variant.model, variant.seed, share.training)
    training = examples(model, share.training)
    some = np.argsort(~training.structures.have_hessians, kind="stable")[:2]
    few = Examples(training.structures.select(some), training.energies[some])
    config = variant.config.model_copy(update={"epochs": 1, "minimum_steps": 0})
    train(model, few, few, variant.loss, config)
