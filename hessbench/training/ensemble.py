"""An ensemble: models that differ in their seed alone, trained side by side, and their files."""

import json
import statistics
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from hessbench.config.inputs import Inputs
from hessbench.data.split import Split
from hessbench.data.structures import Structures
from hessbench.errors import TrainingError
from hessbench.potential.ensembles import MODELS, PROVENANCE, ensemble_folder, model_file
from hessbench.potential.registry import ModelConfig, build
from hessbench.system.files import write_text
from hessbench.system.machine import hardware
from hessbench.system.processes import Report, run_tasks
from hessbench.training.fingerprint import describe, fingerprint
from hessbench.training.loop import Row, train
from hessbench.training.loss import TARGETS
from hessbench.training.preparation import examples
from hessbench.training.settings import LossConfig, TrainingConfig, labels_of
from hessbench.training.stage import STAGE


@dataclass(frozen=True)
class Ensemble:
    """What to train and where its files go.

    Attributes
    ----------
    name, label
        Loss and size, for example "efh-80"; and what the loss is called in tables, "E-F-H".
    loss, model, config
        Settings.
    description
        All that decides about the models, see `hessbench.training.fingerprint.describe`.
    seeds
        Of its models.
    inputs
        What the models are made from, for the provenance of results that are made with them.
    folder
        Of seed-<k>.safetensors, history.csv, metrics.json, training.json.
    checkpoints
        Folder of the checkpoints; it outlives `folder`, which DVC removes before a stage.
    """

    name: str
    label: str
    loss: LossConfig
    model: ModelConfig
    config: TrainingConfig
    description: dict[str, Any]
    seeds: range
    inputs: Inputs
    folder: Path
    checkpoints: Path


def train_ensemble(
    structures: Structures,
    split: Split,
    loss_name: str,
    percent: int,
    model: ModelConfig,
    config: TrainingConfig,
    models: Path = MODELS,
) -> Path:
    """Train all seeds with one loss on one share of the data and write their files.

    Seeds that are finished with the same data, settings and code are not trained again; those that
    were interrupted go on from their last checkpoint.

    Parameters
    ----------
    structures
        The whole data set that `split` shares out.
    split
        Training and validation structures.
    loss_name, percent
        Which loss of `config.losses`, which training set of the split.
    model, config
        Settings.
    models
        Folder of all ensembles.

    Returns
    -------
    Path
        The folder of this ensemble, see `ensemble_folder`.

    Raises
    ------
    TrainingError
        No such loss; or a training failed: the message names loss, seed, epoch and batch.
    """
    if loss_name not in config.losses:
        raise TrainingError(
            f"No loss {loss_name!r} in params.yaml, training.losses; there are {', '.join(config.losses)}."
        )
    loss = config.losses[loss_name]
    indices = split.training_at(percent)
    name = f"{loss_name}-{percent}"
    ensemble = Ensemble(
        name=name,
        label=labels_of(config.losses)[loss_name],
        loss=loss,
        model=model,
        config=config,
        description=describe(split.data, indices, split.validation, loss, model, config),
        seeds=config.seed_range(largest=percent == max(split.sizes)),
        inputs=STAGE.inputs(
            {"rtp": split.data},
            {"model": model, "training": config, "split": split.config},
            {"split": split.digest},
            loss=loss_name,
            percent=percent,
        ),
        folder=ensemble_folder(loss_name, percent, models),
        checkpoints=models / "checkpoints" / name,
    )
    parts = structures.select(indices), structures.select(split.validation)
    epochs = len(ensemble.seeds) * config.epochs
    with tqdm(total=epochs, desc=f"train {name}", unit="epoch", smoothing=0.1) as bar:

        def show(row: Row) -> None:
            errors = {item.symbol: row.get(f"validation_{item.column}") for item in TARGETS.values()}
            bar.set_postfix({key: f"{value:.3g}" for key, value in errors.items() if value}, refresh=False)
            bar.update()

        histories = run_tasks(_train_seed, ensemble.seeds, (ensemble, *parts), config.processes, show)
    for path in set(ensemble.folder.glob("*.safetensors")):  # of an earlier, larger ensemble
        if path not in [model_file(ensemble.folder, seed) for seed in ensemble.seeds]:
            path.unlink()
    _write_summary(ensemble, histories, structures=len(indices))
    return ensemble.folder


def _train_seed(seed: int, shared: tuple[Ensemble, Structures, Structures], report: Report) -> list[Row]:
    """Train one model and write its file; runs in a process of its own."""
    ensemble, training, validation = shared
    print_of_seed = fingerprint(ensemble.description, seed)
    model = build(ensemble.model, seed)
    model.prepare(training)
    history = train(
        model,
        examples(model, training),
        examples(model, validation),
        ensemble.loss,
        ensemble.config,
        seed,
        checkpoint=ensemble.checkpoints / f"seed-{seed}.pt",
        fingerprint=print_of_seed,
        report=report,
        label=f"{ensemble.name}, seed {seed}",
    )
    ensemble.folder.mkdir(parents=True, exist_ok=True)
    notes = {"training": ensemble.name, "seed": str(seed), "data": ensemble.description["data"]}
    model.save(model_file(ensemble.folder, seed), notes | {"fingerprint": print_of_seed})
    return history


def _write_summary(ensemble: Ensemble, histories: list[list[Row]], structures: int) -> None:
    """Write learning curves, metrics and provenance of an ensemble."""
    seeds = ensemble.seeds
    curves = pd.concat(
        [pd.DataFrame(history).assign(seed=seed) for seed, history in zip(seeds, histories, strict=True)],
        ignore_index=True,
    )
    leading = ["epoch", "seed"]
    curves = curves[leading + [column for column in curves.columns if column not in leading]]
    write_text(ensemble.folder / "history.csv", curves.to_csv(index=False, float_format="%.6g"))
    final = [history[-1] for history in histories]
    errors = [column for column in curves.columns if column.startswith(("training_", "validation_"))]
    metrics: dict[str, Any] = {
        column: statistics.fmean(row[column] for row in final)  # type: ignore[misc]
        for column in errors
        if column != "training_seconds"
    }
    passes = ensemble.config.epochs * final[0]["passes"] / final[0]["epoch"]  # type: ignore[operator]
    seconds = [sum(row["training_seconds"] for row in history) for history in histories]  # type: ignore[misc]
    metrics["seconds_per_pass"] = statistics.fmean(seconds) / passes
    write_text(ensemble.folder / "metrics.json", json.dumps(metrics, indent=1) + "\n")
    provenance = {
        **ensemble.description,
        "label": ensemble.label,
        "inputs": asdict(ensemble.inputs),
        "training_set_size": structures,
        "seeds": {
            str(seed): {
                "fingerprint": fingerprint(ensemble.description, seed),
                "training_seconds": spent,
            }
            for seed, spent in zip(seeds, seconds, strict=True)
        },
        "processes": ensemble.config.processes,
        "hardware": hardware(),
    }
    write_text(ensemble.folder / PROVENANCE, json.dumps(provenance, indent=1) + "\n")
