"""Models whose loss sees Hessians in different ways: trained alike, with their processor time, and tested."""

import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from hessbench.cluster.workers import workers
from hessbench.data.split import Split
from hessbench.data.structures import Structures
from hessbench.errors import ConfigurationError
from hessbench.experiments.cost.run.settings import CostConfig
from hessbench.experiments.cost.run.tables import COST
from hessbench.experiments.errors.run.ensemble import TestSet, errors_of_model
from hessbench.experiments.errors.run.rmse import summarize
from hessbench.potential.registry import ModelConfig
from hessbench.results.store.names import UNITS
from hessbench.system.files import write_text
from hessbench.system.processes import Report, run_tasks
from hessbench.system.reading import reading
from hessbench.training.batches import Examples
from hessbench.training.fingerprint import describe, fingerprint
from hessbench.training.loop import Row, train
from hessbench.training.preparation import examples, prepared
from hessbench.training.settings import ESTIMATED, LossConfig, TrainingConfig, labels_of

EXACT = ("efh", "ef")
"""Losses of the profile that are trained as they are."""


@dataclass(frozen=True)
class Training:
    """One model to train: a loss, how long in units of the profile's training, and a seed."""

    label: str
    loss: LossConfig
    length: float
    seed: int


@dataclass(frozen=True)
class Material:
    """What all models are trained and tested on, and how; `kept` is the folder of what is finished."""

    training: Structures
    validation: Structures
    data: tuple[str, np.ndarray, np.ndarray]
    tested: dict[str, TestSet]
    model: ModelConfig
    config: TrainingConfig
    batch_size: int
    kept: Path


def trainings(config: CostConfig, training: TrainingConfig) -> list[Training]:
    """All models to train, those that take longest first.

    Raises
    ------
    ConfigurationError
        The profile does not have E-F and E-F-H, or the Hessian's error of the latter is not exact.
    """
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
        Training(label, loss, length, seed)
        for length in sorted(config.lengths, reverse=True)
        for label, loss in losses.items()
        for seed in range(training.first_seed, training.first_seed + config.seeds)
    ]


def of_length(config: TrainingConfig, length: float) -> TrainingConfig:
    """Settings of a training that takes `length` times as many steps."""
    return config.model_copy(
        update={
            "epochs": max(1, round(config.epochs * length)),
            "minimum_steps": round(config.minimum_steps * length),
        }
    )


def train_and_test(
    todo: list[Training],
    structures: Structures,
    split: Split,
    tested: TestSet,
    model: ModelConfig,
    config: TrainingConfig,
    batch_size: int,
    kept: Path,
) -> pd.DataFrame:
    """Train every model on the largest share of the data, and test it on held-out stationary points.

    As many at a time as `config.processes`, or as the cluster has workers. What is finished with the same
    data, settings and code is not trained again; what was interrupted is begun anew, because processor time
    is measured over whole trainings.

    Parameters
    ----------
    todo
        The models.
    structures, split
        The whole data set, and how it is shared out.
    tested
        Held-out stationary points.
    model, config
        Settings.
    batch_size
        Structures predicted at once.
    kept
        Folder of finished rows.

    Returns
    -------
    DataFrame
        Rows of the table `COST`.
    """
    indices = split.training_at(max(split.sizes))
    material = Material(
        structures.select(indices),
        structures.select(split.validation),
        (split.data, indices, split.validation),
        {"rtp": tested},
        model,
        config,
        batch_size,
        kept,
    )
    total = sum(of_length(config, item.length).epochs for item in todo)
    with tqdm(total=total, desc="cost", unit="epoch", smoothing=0.1) as bar:

        def advance(epochs: int) -> None:
            bar.update(epochs)

        tables = run_tasks(_train_and_test, todo, material, workers(config.processes), advance)
    return pd.concat(tables, ignore_index=True)


def _train_and_test(item: Training, material: Material, report: Report) -> pd.DataFrame:
    """Train and test one model, or read what was found; runs in a process of its own."""
    config = of_length(material.config, item.length)
    description = describe(*material.data, item.loss, material.model, config)
    file = material.kept / f"{fingerprint(description, item.seed)}.json"
    if file.exists():
        with reading(file, "is no kept result", "remove it"):
            found = json.loads(file.read_text(encoding="utf-8"))
            rmse = {str(quantity): float(value) for quantity, value in found["rmse"].items()}
            seconds = float(found["cpu_seconds"])
        report(config.epochs)
    else:
        rmse, seconds = _found(item, material, config, report)
        write_text(file, json.dumps({"rmse": rmse, "cpu_seconds": seconds}) + "\n")
    rows = pd.DataFrame({"quantity": list(rmse), "rmse": list(rmse.values())})
    rows = rows.assign(
        loss=item.label, length=item.length, epochs=config.epochs, seed=item.seed, cpu_seconds=seconds
    )
    return rows.assign(unit=rows["quantity"].map(UNITS))[list(COST.columns)]


def _found(
    item: Training, material: Material, config: TrainingConfig, report: Report
) -> tuple[dict[str, float], float]:
    model = prepared(material.model, item.seed, material.training)
    training = examples(model, material.training)
    # else validation would only cost time
    decides = config.keep == "best" or config.optimizer.kind == "paper"
    validation = examples(model, material.validation) if decides else None
    some = np.argsort(~training.structures.have_hessians, kind="stable")[:2]
    few = Examples(training.structures.select(some), training.energies[some])
    warm = config.model_copy(update={"epochs": 1, "minimum_steps": 0})
    # kernels are compiled, or read from the cache, before the clock starts
    train(prepared(material.model, item.seed, material.training), few, few, item.loss, warm)

    def advance(row: Row) -> None:
        report(1)

    begin = time.process_time()
    label = f"{item.label}, seed {item.seed}"
    train(model, training, validation, item.loss, config, item.seed, report=advance, label=label)
    seconds = time.process_time() - begin
    errors = errors_of_model(model, item.seed, material.tested, material.batch_size)
    summary = summarize(errors.assign(loss=item.label, percent=0))
    return dict(zip(summary["quantity"].tolist(), summary["rmse"].tolist(), strict=True)), seconds
