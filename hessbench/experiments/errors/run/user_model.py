"""Errors of a user's potential on the test sets, in the tables of the ensembles (sections 3.2 to 3.4)."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from hessbench.config.inputs import Inputs
from hessbench.config.loss_labels import LABELS, REFERENCE
from hessbench.data.structures import Structures
from hessbench.errors import HessbenchError
from hessbench.experiments.errors.run.ensemble import TestSet, error_rows, structure_errors
from hessbench.experiments.errors.run.predictions import pack
from hessbench.experiments.errors.run.tables import ERRORS
from hessbench.potential.atomic_energies import compositions, fit_atomic_energies
from hessbench.potential.batch import Batch
from hessbench.potential.evaluation import as_array, given, total_energies
from hessbench.potential.interface import Potential
from hessbench.results.store.provenance import made_here
from hessbench.results.store.tables import write_table
from hessbench.system.files import replacing
from hessbench.system.processes import Report, run_tasks

CHUNK = 16
"""Structures of a task."""
SEED = 0
"""A user's potential counts as an ensemble of one."""


@dataclass(frozen=True)
class _Task:
    name: str
    first: int
    last: int
    hessians: bool


@dataclass(frozen=True)
class _Predicted:
    energies: np.ndarray
    forces: np.ndarray
    hessians: np.ndarray


def require_usable(name: str, taken: Collection[str] = ()) -> None:
    """Refuse a name that is no file name, or that of a loss or its label; `taken` are those of the profile.

    Raises
    ------
    HessbenchError
        The name cannot be that of a user's potential.
    """
    if (
        name in {*LABELS, *LABELS.values(), REFERENCE, *taken}
        or not name
        or set(name) & set("/\\ ")
        or name.startswith(".")
    ):
        raise HessbenchError(f"{name!r} cannot be the name of a potential; give another one with --name.")


def evaluate_user_model(
    name: str,
    load: Callable[[], Potential],
    percent: int,
    training: Structures,
    sets: dict[str, TestSet],
    processes: int,
    results: Path,
    inputs: Inputs,
) -> pd.DataFrame:
    """Predict all test sets with a user's potential and store predictions and errors.

    Writes results/predictions/<name>-<percent>.h5 and results/errors/<name>-<percent>.parquet.
    Its energies may be those of another level of theory: constants of the elements, fitted on the training
    structures as the atomic energies of the models are, take the difference of the zeros out.

    Parameters
    ----------
    name
        Of the potential in the tables.
    load
        Makes it, in each process; picklable.
    percent
        Training set size whose ensembles it is put beside.
    training
        Structures to fit the constants of the elements on.
    sets
        Test sets by name.
    processes
        Structures evaluated at the same time.
    results
        Folder of the results.
    inputs
        What the results are made from, recorded with them.

    Raises
    ------
    HessbenchError
        The name is that of an ensemble or no file name; or the potential fails for a structure.
    """
    require_usable(name)
    structures = {"training": training, **{key: item.structures for key, item in sets.items()}}
    tasks = [
        _Task(key, first, min(first + CHUNK, len(item)), hessians=key != "training")
        for key, item in structures.items()
        for first in range(0, len(item), CHUNK)
    ]
    with tqdm(total=sum(map(len, structures.values())), desc=f"evaluate {name}", unit="structure") as bar:

        def show(done: int) -> None:
            bar.update(done)

        chunks = run_tasks(_predict, tasks, (structures, load), processes, show)
    joined = {
        key: _join([chunk for task, chunk in zip(tasks, chunks, strict=True) if task.name == key])
        for key in structures
    }
    elements = tuple(np.unique(np.concatenate([item.numbers for item in structures.values()])).tolist())
    constants = fit_atomic_energies(
        training.numbers, training.counts, training.energies - joined["training"].energies, elements
    )
    tables = []
    path = results / "predictions" / f"{name}-{percent}.h5"
    with replacing(path) as temporary, h5py.File(temporary, "w") as file:
        for key, item in sets.items():
            part = item.structures
            shift = compositions(part.numbers, part.counts, elements) @ constants
            found = joined[key]
            energies = found.energies + shift
            _store(file.create_group(key), part, energies, found)
            errors = structure_errors(part, energies, found.forces, found.hessians)
            tables.append(error_rows(SEED, key, part, errors))
    table = pd.concat(tables, ignore_index=True)
    table.insert(0, "loss", name)
    table.insert(1, "percent", percent)
    level = "; ".join(sorted({item.level for item in sets.values()}))
    write_table(results, ERRORS, table, made_here(inputs, level=level, models=1), f"{name}-{percent}")
    return table


def _predict(
    task: _Task, shared: tuple[dict[str, Structures], Callable[[], Potential]], report: Report
) -> _Predicted:
    """Evaluate some structures; runs in a process of its own."""
    structures, load = shared
    part = structures[task.name].select(np.arange(task.first, task.last))
    potential = load()
    batch = Batch.from_structures(part, potential.dtype).to(potential.device)
    with torch.no_grad():
        prediction = potential.predict(batch, 2 if task.hessians else 1)
        energies = total_energies(potential, batch, prediction)
    forces = as_array(given(prediction.forces, "forces"))
    hessians = as_array(given(prediction.hessians, "Hessians")) if task.hessians else np.empty(0)
    report(len(part))
    return _Predicted(as_array(energies), forces.astype(np.float32), hessians.astype(np.float32))


def _join(chunks: list[_Predicted]) -> _Predicted:
    return _Predicted(
        np.concatenate([chunk.energies for chunk in chunks]),
        np.concatenate([chunk.forces for chunk in chunks]),
        np.concatenate([chunk.hessians for chunk in chunks]),
    )


def _store(group: h5py.Group, structures: Structures, energies: np.ndarray, found: _Predicted) -> None:
    """Write predictions as `hessbench.experiments.errors.run.predictions` reads them."""
    group["reaction"] = [structures.reaction_names[index] for index in structures.reactions]
    group["structure"] = structures.indices
    group["counts"] = structures.counts
    model = group.create_group(f"seed-{SEED}")
    model["energies"] = energies
    model["forces"] = found.forces
    model["hessians"] = pack(found.hessians, structures.counts)
