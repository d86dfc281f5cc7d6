"""An ensemble: models that differ in their seed alone, trained side by side, and their files."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from hessbench.cluster.workers import workers
from hessbench.config.device import device_name
from hessbench.config.inputs import Inputs
from hessbench.data.split import Split
from hessbench.data.structures import Structures
from hessbench.errors import TrainingError
from hessbench.potential.ensembles import MODELS, PROVENANCE, ensemble_folder, model_file
from hessbench.potential.registry import ModelConfig
from hessbench.system.files import write_text
from hessbench.system.machine import hardware
from hessbench.system.processes import Report, run_tasks
from hessbench.training.fingerprint import describe, fingerprint
from hessbench.training.loop import Row, train
from hessbench.training.loss import TARGETS
from hessbench.training.preparation import examples, prepared
from hessbench.training.settings import LossConfig, TrainingConfig, labels_of
from hessbench.training.stage import STAGE


@dataclass(frozen=True)
class Ensemble:
    """What to train and where its files go.

    Attributes
    ----------
    name, label, percent
        Loss and size, for example "efh-80"; what the loss is called in tables, "E-F-H"; the size.
    loss, model, config
        Settings.
    description
        All that decides about the models, see `hessbench.training.fingerprint.describe`.
    seeds
        Of its models.
    inputs
        What the models are made from, for the provenance of results that are made with them.
    structures
        Number of its training structures.
    folder
        Of seed-<k>.safetensors, history.csv, metrics.json, training.json.
    checkpoints
        Folder of the checkpoints.
    """

    name: str
    label: str
    percent: int
    loss: LossConfig
    model: ModelConfig
    config: TrainingConfig
    description: dict[str, Any]
    seeds: range
    inputs: Inputs
    structures: int
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
    """Train all seeds with one loss on one share of the data, see `train_ensembles`; gives its folder."""
    return train_ensembles(structures, split, [(loss_name, percent)], model, config, models)[0]


def train_ensembles(
    structures: Structures,
    split: Split,
    wanted: Sequence[tuple[str, int]],
    model: ModelConfig,
    config: TrainingConfig,
    models: Path = MODELS,
    checkpoints: Path | None = None,
) -> list[Path]:
    """Train ensembles, all models in one queue, and write their files.

    Models that are finished with the same data, settings and code are not trained again; those that
    were interrupted go on from their last checkpoint.

    Parameters
    ----------
    structures
        The whole data set that `split` shares out.
    split
        Training and validation structures.
    wanted
        Loss, a name of `config.losses`, and percent, a size of the split, of each ensemble.
    model, config
        Settings.
    models
        Folder of all ensembles.
    checkpoints
        Folder of the checkpoints of all ensembles; within that of the models if None.

    Returns
    -------
    list of Path
        The folder of each ensemble, see `ensemble_folder`.

    Raises
    ------
    TrainingError
        No such loss; or a training failed: the message names loss, seed, epoch and batch.
    """
    checkpoints = models / "checkpoints" if checkpoints is None else checkpoints
    ensembles = [_ensemble(split, *item, model, config, models, checkpoints) for item in wanted]
    # those that take longest are begun first, so that no process waits for another at the end
    tasks = [(index, seed) for index, ensemble in enumerate(ensembles) for seed in ensemble.seeds]
    tasks.sort(key=lambda task: -ensembles[task[0]].loss.derivatives)
    title = f"train {ensembles[0].name}" if len(ensembles) == 1 else "train"
    with tqdm(total=len(tasks) * config.epochs, desc=title, unit="epoch", smoothing=0.1) as bar:

        def show(row: Row) -> None:
            if len(ensembles) == 1:
                errors = {item.symbol: row.get(f"validation_{item.column}") for item in TARGETS.values()}
                bar.set_postfix(
                    {key: f"{value:.3g}" for key, value in errors.items() if value}, refresh=False
                )
            bar.update()

        shared = ensembles, structures, split
        found = run_tasks(_train_seed, tasks, shared, workers(config.processes), show)
    histories = dict(zip(tasks, found, strict=True))
    for index, ensemble in enumerate(ensembles):
        for path in set(ensemble.folder.glob("*.safetensors")):  # of an earlier, larger ensemble
            if path not in [model_file(ensemble.folder, seed) for seed in ensemble.seeds]:
                path.unlink()
        _write_summary(ensemble, [histories[index, seed] for seed in ensemble.seeds])
    return [ensemble.folder for ensemble in ensembles]


def _ensemble(
    split: Split,
    loss_name: str,
    percent: int,
    model: ModelConfig,
    config: TrainingConfig,
    models: Path,
    checkpoints: Path,
) -> Ensemble:
    if loss_name not in config.losses:
        raise TrainingError(
            f"No loss {loss_name!r} in params.yaml, training.losses; there are {', '.join(config.losses)}."
        )
    loss = config.losses[loss_name]
    name = f"{loss_name}-{percent}"
    indices = split.training_at(percent)
    of_share = config.at(percent, max(split.sizes))
    return Ensemble(
        name=name,
        label=labels_of(config.losses)[loss_name],
        percent=percent,
        loss=loss,
        model=model,
        config=of_share,
        description=describe(split.data, indices, split.validation, loss, model, of_share),
        seeds=config.seed_range(largest=percent == max(split.sizes)),
        inputs=STAGE.inputs(
            {"rtp": split.data},
            {"model": model, "training": config, "split": split.config},
            {"split": split.digest},
            loss=loss_name,
            percent=percent,
        ),
        structures=len(indices),
        folder=ensemble_folder(loss_name, percent, models),
        checkpoints=checkpoints / name,
    )


def _train_seed(
    task: tuple[int, int], shared: tuple[list[Ensemble], Structures, Split], report: Report
) -> list[Row]:
    """Train one model and write its file; runs in a process of its own."""
    (index, seed), (ensembles, structures, split) = task, shared
    ensemble = ensembles[index]
    training = structures.select(split.training_at(ensemble.percent))
    print_of_seed = fingerprint(ensemble.description, seed)
    model = prepared(ensemble.model, seed, training)
    history = train(
        model,
        examples(model, training),
        examples(model, structures.select(split.validation)),
        ensemble.loss,
        ensemble.config,
        seed,
        checkpoint=ensemble.checkpoints / f"seed-{seed}.pt",
        fingerprint=print_of_seed,
        report=report,
        label=f"{ensemble.name}, seed {seed}",
    )
    ensemble.folder.mkdir(parents=True, exist_ok=True)
    notes = {
        "training": ensemble.name,
        "seed": str(seed),
        "data": ensemble.description["data"],
        "device": device_name(model.device),
        "fingerprint": print_of_seed,
    }
    model.save(model_file(ensemble.folder, seed), notes)
    return history


def _write_summary(ensemble: Ensemble, histories: list[list[Row]]) -> None:
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
    seconds = [sum(row["training_seconds"] for row in history) for history in histories]  # type: ignore[misc]
    metrics["seconds_per_pass"] = statistics.fmean(
        spent / row["passes"]  # type: ignore[operator]
        for spent, row in zip(seconds, final, strict=True)
    )
    write_text(ensemble.folder / "metrics.json", json.dumps(metrics, indent=1) + "\n")
    provenance = {
        **ensemble.description,
        "label": ensemble.label,
        "inputs": asdict(ensemble.inputs),
        "training_set_size": ensemble.structures,
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
