"""Errors of ensembles on the test sets: sections 3.2 to 3.4 of the paper, tables 2 to 4."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import h5py
import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from hessbench.cluster.workers import workers
from hessbench.config.inputs import Inputs
from hessbench.data.layout import ReactionFile
from hessbench.data.structures import Structures, load_structures
from hessbench.errors import DataError
from hessbench.experiments.errors.run.predictions import pack, write_metadata
from hessbench.experiments.errors.run.rmse import sums_by_structure
from hessbench.experiments.errors.run.settings import EvaluationConfig
from hessbench.experiments.errors.run.tables import ERRORS
from hessbench.potential.batch import Batch
from hessbench.potential.ensembles import ensemble_label, load_member, model_file, trained_seeds
from hessbench.potential.evaluation import given, total_energies
from hessbench.potential.interface import Potential
from hessbench.results.store.names import QUANTITIES
from hessbench.results.store.provenance import made_here
from hessbench.results.store.tables import write_table
from hessbench.system.files import replacing, temporary_beside
from hessbench.system.hdf5 import created
from hessbench.system.processes import Report, run_tasks

Predicted = tuple[np.ndarray, np.ndarray, np.ndarray | None]
"""Of M structures: total energies (M,), float64, forces (A, 3), flat Hessians; kcal/mol and Angstrom.

No Hessians where the data have none to compare with.
"""


@dataclass(frozen=True)
class TestSet:
    """Structures with reference values to compare with.

    Attributes
    ----------
    data, level
        Name, version, level and checksum of the file they come from; its level of theory.
    structures
        Energies and forces included, and Hessians of all, some or none.
    """

    __test__ = False  # no test class, whatever pytest reads into the name

    data: str
    level: str
    structures: Structures

    @classmethod
    def read(cls, path: Path, reactions: Iterable[str] | None = None) -> Self:
        """Read a file in the layout of `hessbench.data.layout`, whole or some of its reactions.

        Raises
        ------
        DataError
            See `ReactionFile`.
        """
        with ReactionFile(path) as file:
            data, level = file.identifier, file.metadata.level
        return cls(data, level, load_structures(path, reactions))


@dataclass(frozen=True)
class _Task:
    seed: int
    model: Path
    shard: Path


def evaluate_ensemble(
    folder: Path,
    loss: str,
    percent: int,
    sets: dict[str, TestSet],
    config: EvaluationConfig,
    results: Path,
    inputs: Inputs,
) -> pd.DataFrame:
    """Predict with every model of an ensemble, store predictions and errors.

    Writes results/predictions/<loss>-<percent>.h5 (see `hessbench.experiments.errors.run.predictions`) and
    results/errors/<loss>-<percent>.parquet (see `hessbench.experiments.errors.run.tables.ERRORS`), each whole
    or not at all, with what they are made from in their metadata.

    Parameters
    ----------
    folder
        Of the trained models.
    loss, percent
        What they were trained with.
    sets
        Test sets by name.
    config
        Batch size, processes, which Hessians to store.
    results
        Folder of the results.
    inputs
        What the results are made from, recorded with them.

    Returns
    -------
    DataFrame
        The errors table.

    Raises
    ------
    DataError
        The ensemble is not trained, or a model file is damaged.
    """
    name, label = f"{loss}-{percent}", ensemble_label(folder)
    target = results / "predictions" / f"{name}.h5"
    target.parent.mkdir(parents=True, exist_ok=True)
    tasks = [
        _Task(seed, model_file(folder, seed), temporary_beside(target.with_name(f"{name}-seed-{seed}.h5")))
        for seed in trained_seeds(folder)
    ]
    shared = sets, config.batch_size, percent in config.hessians_stored_at_percents
    total = len(tasks) * sum(len(item.structures) for item in sets.values())
    try:
        with tqdm(total=total, desc=f"evaluate {name}", unit="structure") as bar:

            def advance(structures: int) -> None:
                bar.update(structures)

            tables = run_tasks(_evaluate_model, tasks, shared, workers(config.processes), advance)
        metadata = {
            "ensemble": name,
            "label": label,
            "percent": percent,
            "data": {key: item.data for key, item in sets.items()},
            "seeds": [task.seed for task in tasks],
            "inputs": asdict(inputs),
            "level": "; ".join(sorted({item.level for item in sets.values()})),
            "card": None,
        }
        _write_predictions(target, tasks, sets, metadata)
    finally:
        for task in tasks:
            task.shard.unlink(missing_ok=True)
    errors = pd.concat(tables, ignore_index=True)
    errors.insert(0, "loss", label)
    errors.insert(1, "percent", percent)
    level = "; ".join(sorted({item.level for item in sets.values()}))
    write_table(results, ERRORS, errors, made_here(inputs, level=level, models=len(tasks)), name)
    return errors


def predict(potential: Potential, structures: Structures) -> Predicted:
    """Predict all that is compared.

    Returns
    -------
    Predicted
        Forces and Hessians in the dtype of the potential.
    """
    batch = Batch.from_structures(structures, potential.dtype).to(potential.device)
    with torch.no_grad():
        prediction = potential.predict(batch, 1 if structures.hessians is None else 2)
        energies = total_energies(potential, batch, prediction).cpu().numpy()
    forces = given(prediction.forces, "forces").cpu().numpy()
    if structures.hessians is None:
        return energies, forces, None
    return energies, forces, given(prediction.hessians, "Hessians").cpu().numpy()


def structure_errors(
    structures: Structures, energies: np.ndarray, forces: np.ndarray, hessians: np.ndarray | None
) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Sums over each structure's elements of squared and absolute errors, and the number of elements.

    Parameters
    ----------
    structures
        M structures with A atoms in all.
    energies, forces, hessians
        Predicted for all of them: (M,), (A, 3), flat; Hessians may be left out if the data have none.

    Returns
    -------
    dict
        By quantity, three arrays of length M; Hessians of structures that have none count no elements, and
        are left out where none has one.
    """
    differences = {
        "energy": energies - structures.energies,
        "force": (forces - structures.forces).ravel(),
    }
    if structures.hessians is not None and hessians is not None:
        if structures.labelled is not None:
            hessians = hessians[np.repeat(structures.labelled, (3 * structures.counts) ** 2)]
        differences["hessian"] = hessians - structures.hessians
    offsets = element_offsets(structures)
    return {
        quantity: (
            sums_by_structure(error.astype(np.float64) ** 2, offsets[quantity]),
            sums_by_structure(np.abs(error.astype(np.float64)), offsets[quantity]),
            np.diff(offsets[quantity]),
        )
        for quantity, error in differences.items()
    }


def reference_hessians(structures: Structures) -> np.ndarray:
    """Flat Hessians to compare with.

    Raises
    ------
    DataError
        The structures have none.
    """
    if structures.hessians is None:
        raise DataError("structures", "have no Hessians to compare with; evaluate on data that have.")
    return structures.hessians


def element_offsets(structures: Structures) -> dict[str, np.ndarray]:
    """By quantity the first element of each structure in flat arrays, and their number: (M + 1,)."""
    return {
        "energy": np.arange(len(structures) + 1),
        "force": 3 * structures.atom_offsets,
        "hessian": structures.hessian_offsets,
    }


def _evaluate_model(
    task: _Task, shared: tuple[dict[str, TestSet], int, bool], report: Report
) -> pd.DataFrame:
    """Predict all sets with one model, batch by batch; runs in a process of its own."""
    sets, batch_size, with_hessians = shared
    with created(task.shard) as file:
        groups = {name: file.create_group(name) for name in sets}

        def keep(name: str, part: Structures, predicted: Predicted) -> None:
            energies, forces, hessians = predicted
            _append(groups[name], "energies", energies)
            _append(groups[name], "forces", forces)
            if with_hessians and hessians is not None:
                _append(groups[name], "hessians", pack(hessians, part.counts))
            report(len(part))

        return errors_of_model(load_member(task.model), task.seed, sets, batch_size, keep)


def errors_of_model(
    model: Potential,
    seed: int,
    sets: dict[str, TestSet],
    batch_size: int,
    keep: Callable[[str, Structures, Predicted], None] = lambda *batch: None,
) -> pd.DataFrame:
    """Rows of the errors table for one model, without loss and percent; predicted batch by batch.

    `keep` is called with each batch: the name of its set, its structures, and what is predicted for them.
    """
    tables = []
    for name, item in sets.items():
        for first in range(0, len(item.structures), batch_size):
            part = item.structures.select(np.arange(first, min(first + batch_size, len(item.structures))))
            predicted = predict(model, part)
            tables.append(error_rows(seed, name, part, structure_errors(part, *predicted)))
            keep(name, part, predicted)
    return pd.concat(tables, ignore_index=True)


def error_rows(seed: int, name: str, structures: Structures, errors: dict[str, tuple]) -> pd.DataFrame:
    """Rows of the errors table for one model and set; none for a Hessian that there is not.

    Parameters
    ----------
    seed
        Of the model.
    name
        Of the set: rtp, irc or nms.
    structures
        The M structures predicted.
    errors
        By quantity the sums of squared and of absolute errors and the number of elements, each (M,), see
        `structure_errors`; kcal/mol and Angstrom.
    """
    names = np.array(structures.reaction_names)[structures.reactions]
    rows = pd.concat(
        [
            pd.DataFrame(
                {
                    "seed": seed,
                    "set": name,
                    "reaction": names,
                    "structure": structures.indices,
                    "quantity": quantity,
                    "squared": errors[quantity][0],
                    "absolute": errors[quantity][1],
                    "count": errors[quantity][2],
                }
            )
            for quantity in QUANTITIES
            if quantity in errors
        ]
    )
    return rows[rows["count"] > 0]


def _append(group: h5py.Group, name: str, values: np.ndarray) -> None:
    if name not in group:
        shape = (None, *values.shape[1:])
        group.create_dataset(name, data=values, maxshape=shape, chunks=True, fletcher32=True)
        return
    dataset = group[name]
    dataset.resize(len(dataset) + len(values), axis=0)
    dataset[-len(values) :] = values


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
