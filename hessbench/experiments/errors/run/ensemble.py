"""Predictions and errors of ensembles on the test sets: sections 3.2 to 3.4 of the paper, tables 2 to 4."""

import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
from tqdm import tqdm

from hessbench.cluster.workers import workers
from hessbench.config.inputs import Inputs
from hessbench.data.structures import Structures
from hessbench.experiments.errors.run.model_errors import Predicted, errors_of_model
from hessbench.experiments.errors.run.predictions import pack, write_metadata
from hessbench.experiments.errors.run.scoring import TestSet
from hessbench.experiments.errors.run.settings import EvaluationConfig
from hessbench.experiments.errors.run.tables import ERRORS
from hessbench.potential.ensembles import ensemble_label, load_member, model_file, trained_seeds
from hessbench.results.store.provenance import made_here
from hessbench.results.store.tables import write_table
from hessbench.system.files import replacing
from hessbench.system.hdf5 import created
from hessbench.system.machine import versions
from hessbench.system.processes import Report, run_tasks
from hessbench.system.reading import reading
from hessbench.system.seal import read_sealed, write_sealed


@dataclass(frozen=True)
class Trained:
    """An ensemble to evaluate.

    Attributes
    ----------
    loss, percent
        What its models were trained with.
    folder
        Of the models.
    inputs
        What its results are made from, recorded with them.
    """

    loss: str
    percent: int
    folder: Path
    inputs: Inputs

    @property
    def name(self) -> str:
        """Name of its files, "efh-80"."""
        return f"{self.loss}-{self.percent}"


@dataclass(frozen=True)
class _Task:
    """One model; what it predicts is in `shard`, complete once its errors are beside that."""

    seed: int
    model: Path
    shard: Path
    with_hessians: bool

    @property
    def errors(self) -> Path:
        return self.shard.with_suffix(".errors")


def evaluate_ensemble(
    folder: Path,
    loss: str,
    percent: int,
    sets: dict[str, TestSet],
    config: EvaluationConfig,
    results: Path,
    inputs: Inputs,
) -> pd.DataFrame:
    """Predict with every model of one ensemble, see `evaluate_ensembles`; gives its errors table."""
    return evaluate_ensembles([Trained(loss, percent, folder, inputs)], sets, config, results)[0]


def evaluate_ensembles(
    wanted: Sequence[Trained], sets: dict[str, TestSet], config: EvaluationConfig, results: Path
) -> list[pd.DataFrame]:
    """Predict with every model of ensembles, all models in one queue, store predictions and errors.

    Interrupted, it goes on: models that are finished, in results/checkpoints/evaluate, do not predict again.

    Writes two files of each, results/predictions/<loss>-<percent>.h5 (see
    `hessbench.experiments.errors.run.predictions`) and results/errors/<loss>-<percent>.parquet (see
    `hessbench.experiments.errors.run.tables.ERRORS`), each whole or not at all, with what they are made from
    in their metadata; the same, byte by byte, whatever others are evaluated beside it.

    Parameters
    ----------
    wanted
        The ensembles, none twice.
    sets
        Test sets by name.
    config
        Batch size, processes, which Hessians to store.
    results
        Folder of the results.

    Returns
    -------
    list of DataFrame
        The errors table of each ensemble.

    Raises
    ------
    DataError
        An ensemble is not trained, or a model file is damaged.
    """
    labels = [ensemble_label(ensemble.folder) for ensemble in wanted]
    tasks_of = [_tasks(ensemble, sets, config, results) for ensemble in wanted]
    tasks = [task for of_one in tasks_of for task in of_one]
    if done := sum(task.errors.exists() for task in tasks):
        tqdm.write(f"{done} of {len(tasks)} models are done already, by an interrupted run.")
    total = len(tasks) * sum(len(item.structures) for item in sets.values())
    title = f"evaluate {wanted[0].name}" if len(wanted) == 1 else "evaluate"
    with tqdm(total=total, desc=title, unit="structure") as bar:

        def advance(structures: int) -> None:
            bar.update(structures)

        shared = sets, config.batch_size
        tables = iter(run_tasks(_evaluate_model, tasks, shared, workers(config.processes), advance))
    found = []
    for ensemble, label, of_one in zip(wanted, labels, tasks_of, strict=True):
        errors = pd.concat([next(tables) for _ in of_one], ignore_index=True)
        errors.insert(0, "loss", label)
        errors.insert(1, "percent", ensemble.percent)
        found.append(errors)
        _write_results(ensemble, label, of_one, errors, sets, results)
    return found


def _evaluate_model(task: _Task, shared: tuple[dict[str, TestSet], int], report: Report) -> pd.DataFrame:
    """Predict all sets with one model, batch by batch, unless it did; runs in a process of its own."""
    sets, batch_size = shared
    if task.errors.exists():
        report(sum(len(item.structures) for item in sets.values()))
        return _read_errors(task.errors)
    with replacing(task.shard) as temporary, created(temporary) as file:
        groups = {name: file.create_group(name) for name in sets}

        def keep(name: str, part: Structures, predicted: Predicted) -> None:
            energies, forces, hessians = predicted
            _append(groups[name], "energies", energies)
            _append(groups[name], "forces", forces)
            if task.with_hessians and hessians is not None:
                _append(groups[name], "hessians", pack(hessians, part.counts))
            report(len(part))

        errors = errors_of_model(load_member(task.model), task.seed, sets, batch_size, keep)
    write_sealed(task.errors, lambda content: errors.to_parquet(content))
    return _read_errors(task.errors)  # the same, to the types of columns, as when it goes on


def _read_errors(path: Path) -> pd.DataFrame:
    with reading(path, "is no checkpoint", "delete it to evaluate the model anew"):
        return pd.read_parquet(io.BytesIO(read_sealed(path)))


def _append(group: h5py.Group, name: str, values: np.ndarray) -> None:
    if name not in group:
        shape = (None, *values.shape[1:])
        group.create_dataset(name, data=values, maxshape=shape, chunks=True, fletcher32=True)
        return
    dataset = group[name]
    dataset.resize(len(dataset) + len(values), axis=0)
    dataset[-len(values) :] = values


def _tasks(
    ensemble: Trained, sets: dict[str, TestSet], config: EvaluationConfig, results: Path
) -> list[_Task]:
    """Tasks of the models of an ensemble; what is kept of other models, data, settings or code is removed."""
    with_hessians = ensemble.percent in config.hessians_stored_at_percents
    data = {name: item.data for name, item in sets.items()}
    common = asdict(ensemble.inputs), data, config.batch_size, with_hessians, versions()
    kept, tasks = results / "checkpoints" / "evaluate", []
    for seed in trained_seeds(ensemble.folder):
        model = model_file(ensemble.folder, seed)
        content = hashlib.sha256(json.dumps(common).encode() + model.read_bytes()).hexdigest()
        beginning = f"{ensemble.name}-seed-{seed}-"
        tasks.append(_Task(seed, model, kept / f"{beginning}{content[:16]}.h5", with_hessians))
        for path in set(kept.glob(f"{beginning}*")) - {tasks[-1].shard, tasks[-1].errors}:
            path.unlink()
    return tasks


def _write_results(
    ensemble: Trained,
    label: str,
    tasks: list[_Task],
    errors: pd.DataFrame,
    sets: dict[str, TestSet],
    results: Path,
) -> None:
    """Write predictions and errors of an ensemble, and remove what its models left."""
    level = "; ".join(sorted({item.level for item in sets.values()}))
    metadata = {
        "ensemble": ensemble.name,
        "label": label,
        "percent": ensemble.percent,
        "data": {key: item.data for key, item in sets.items()},
        "seeds": [task.seed for task in tasks],
        "inputs": asdict(ensemble.inputs),
        "level": level,
        "card": None,
    }
    _write_predictions(results / "predictions" / f"{ensemble.name}.h5", tasks, sets, metadata)
    made = made_here(ensemble.inputs, level=level, models=len(tasks))
    write_table(results, ERRORS, errors, made, ensemble.name)
    for task in tasks:  # else the models' own files would take the space of all predictions once more
        task.errors.unlink()
        task.shard.unlink()


def _write_predictions(
    path: Path, tasks: list[_Task], sets: dict[str, TestSet], metadata: dict[str, Any]
) -> None:
    """Join what the models wrote."""
    with replacing(path) as temporary, created(temporary) as file:
        for name, item in sets.items():
            group = file.create_group(name)
            structures = item.structures
            group["reaction"] = [structures.reaction_names[index] for index in structures.reactions]
            group["structure"] = structures.indices
            group["counts"] = structures.counts
        for task in tasks:
            with h5py.File(task.shard) as shard:
                for name in sets:
                    shard.copy(name, file[name], name=f"seed-{task.seed}")
        write_metadata(file, metadata)
