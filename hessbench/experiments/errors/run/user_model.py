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
from hessbench.errors import HessbenchError, PotentialError
from hessbench.experiments.errors.run.ensemble import TestSet, error_rows, structure_errors
from hessbench.experiments.errors.run.predictions import pack
from hessbench.experiments.errors.run.tables import ERRORS, FAILURES
from hessbench.potential.atomic_energies import compositions, fit_atomic_energies
from hessbench.potential.batch import Batch
from hessbench.potential.evaluation import as_array, given, total_energies
from hessbench.potential.interface import Potential
from hessbench.results.store.provenance import made_here
from hessbench.results.store.tables import read_table, write_table
from hessbench.system.files import replacing
from hessbench.system.hdf5 import created
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
    scored: np.ndarray
    reasons: list[str]


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

    Writes results/predictions/<name>-<percent>.h5, results/errors/<name>-<percent>.parquet, and in
    results/failures/<name>-<percent>.parquet a row with the reason for each structure for which it fails.
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
        The name is that of an ensemble or no file name; or the potential fails for all structures of a set.
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
    kept = {key: item.select(joined[key].scored) for key, item in structures.items()}
    for key, part in kept.items():
        if not len(part):
            reason = joined[key].reasons[0]
            raise HessbenchError(f"No structure of {key} could be evaluated: {reason}")
    elements = tuple(np.unique(np.concatenate([item.numbers for item in structures.values()])).tolist())
    fitted = kept["training"]
    constants = fit_atomic_energies(
        fitted.numbers, fitted.counts, fitted.energies - joined["training"].energies, elements
    )
    tables, failures = [], []
    path = results / "predictions" / f"{name}-{percent}.h5"
    with replacing(path) as temporary, created(temporary) as file:
        for key, item in sets.items():
            part, found = kept[key], joined[key]
            shift = compositions(part.numbers, part.counts, elements) @ constants
            energies = found.energies + shift
            _store(file.create_group(key), part, energies, found)
            errors = structure_errors(part, energies, found.forces, found.hessians)
            tables.append(error_rows(SEED, key, part, errors))
            failures.append(_failure_rows(key, item.structures.select(~found.scored), found.reasons))
    level = "; ".join(sorted({item.level for item in sets.values()}))
    for definition, frames in ((ERRORS, tables), (FAILURES, failures)):
        table = pd.concat(frames, ignore_index=True)
        table.insert(0, "loss", name)
        table.insert(1, "percent", percent)
        provenance = made_here(inputs, level=level, models=1)
        write_table(results, definition, table, provenance, f"{name}-{percent}")
    return read_table(results, ERRORS, part=f"{name}-{percent}")


def _failure_rows(name: str, structures: Structures, reasons: list[str]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "seed": np.full(len(structures), SEED),
            "set": pd.Series([name] * len(structures), dtype=str),
            "reaction": pd.Series(
                [structures.reaction_names[index] for index in structures.reactions], dtype=str
            ),
            "structure": structures.indices,
            "reason": pd.Series(reasons, dtype=str),
        }
    )


def _predict(
    task: _Task, shared: tuple[dict[str, Structures], Callable[[], Potential]], report: Report
) -> _Predicted:
    """Evaluate some structures, one by one; runs in a process of its own."""
    structures, load = shared
    potential = load()
    energies, forces, hessians, scored, reasons = [], [], [], [], []
    for index in range(task.first, task.last):
        part = structures[task.name].select(np.array([index]))
        batch = Batch.from_structures(part, potential.dtype).to(potential.device)
        try:
            with torch.no_grad():
                prediction = potential.predict(batch, 2 if task.hessians else 1)
                energies.append(as_array(total_energies(potential, batch, prediction)))
        except PotentialError as error:
            scored.append(False)
            reasons.append(str(error))
        else:
            scored.append(True)
            forces.append(as_array(given(prediction.forces, "forces")))
            if task.hessians:
                hessians.append(as_array(given(prediction.hessians, "Hessians")))
        report(1)
    return _Predicted(
        np.concatenate([np.empty(0), *energies]),
        np.concatenate([np.empty((0, 3)), *forces]).astype(np.float32),
        np.concatenate([np.empty(0), *hessians]).astype(np.float32),
        np.array(scored, dtype=bool),
        reasons,
    )


def _join(chunks: list[_Predicted]) -> _Predicted:
    return _Predicted(
        np.concatenate([chunk.energies for chunk in chunks]),
        np.concatenate([chunk.forces for chunk in chunks]),
        np.concatenate([chunk.hessians for chunk in chunks]),
        np.concatenate([chunk.scored for chunk in chunks]),
        [reason for chunk in chunks for reason in chunk.reasons],
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
