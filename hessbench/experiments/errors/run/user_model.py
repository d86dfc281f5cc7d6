"""Errors of a user's potential on the test sets, in the tables of the ensembles (sections 3.2 to 3.4).

Whatever becomes of one structure, the others are scored, and an interrupted run goes on: what was predicted
stands in a journal until all is done.
"""

import queue
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from hessbench.calculators.brought import Brought
from hessbench.calculators.separate import EndedError, SeparatePotential
from hessbench.config.inputs import Inputs
from hessbench.config.loss_labels import LABELS, REFERENCE
from hessbench.data.structures import Structures
from hessbench.errors import HessbenchError, PotentialError
from hessbench.experiments.errors.run.predictions import (
    FAILED,
    pack,
    write_metadata,
    write_text,
)
from hessbench.experiments.errors.run.scoring import TestSet, error_rows, structure_errors
from hessbench.experiments.errors.run.tables import ERRORS, FAILURES
from hessbench.potential.atomic_energies import compositions, fit_atomic_energies
from hessbench.potential.batch import Batch
from hessbench.potential.evaluation import as_array, given, total_energies
from hessbench.potential.interface import Derivatives, Potential
from hessbench.results.store.provenance import made_here
from hessbench.results.store.tables import write_table
from hessbench.system.files import replacing
from hessbench.system.hdf5 import created
from hessbench.system.journal import Failure, Journal, Outcome

SEED = 0
"""A user's potential counts as an ensemble of one."""
TRAINING = "training"
"""The structures on which the constants of the elements are fitted, beside the test sets."""
AHEAD = 4
"""Structures for each process that are on their way at a time."""
IN_A_ROW = 3
"""Failures after which a calculator is loaded anew: what failed may have left it unusable."""


@dataclass
class _Worker:
    potential: Potential
    failures: int = 0  # in a row
    patience: int = IN_A_ROW  # failures after which it is loaded anew; more where that did not help


@dataclass(frozen=True)
class _Task:
    name: str
    index: int

    @property
    def key(self) -> str:
        return f"{self.name}/{self.index}"


@dataclass
class _Found:
    """Structures of one set that were predicted, with their energies, and others, with the reasons."""

    scored: list[int] = field(default_factory=list)
    energies: list[float] = field(default_factory=list)
    failed: list[int] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)


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
    model: Brought,
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
    model
        The potential.
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

    Returns
    -------
    DataFrame
        The errors table.

    Raises
    ------
    HessbenchError
        The name is that of an ensemble or no file name; or the potential fails for all structures of the
        training part, or of all test sets: the table of failures is written then.
    """
    require_usable(model.name)
    part = f"{model.name}-{percent}"
    structures = {TRAINING: training, **{key: item.structures for key, item in sets.items()}}
    path = results / "checkpoints" / f"evaluate-{part}.sqlite"
    with Journal(path, {"calculator": model.digest, **asdict(inputs)}) as journal:
        ended = _predict_all(model, structures, processes, journal)
        found = {key: _found(key, len(item), journal, ended) for key, item in structures.items()}
        level = "; ".join(sorted({item.level for item in sets.values()}))
        notes = {"level": model.level, "card": model.card and model.card.model_dump(mode="json")}
        provenance = made_here(inputs, level=level, models=1, notes=notes)
        failures = [_failure_rows(key, item.structures, found[key]) for key, item in sets.items()]
        write_table(results, FAILURES, _table(model.name, percent, failures), provenance, part)
        if not any(found[key].scored for key in sets):
            reason = next(reason for key in sets for reason in found[key].reasons)
            raise HessbenchError(
                f"No structure could be scored; why stands in {FAILURES.path(results, part)}. "
                f"The first: {reason}"
            )
        constants = _constants(training, found[TRAINING], structures.values())
        tables = []
        target = results / "predictions" / f"{part}.h5"
        with replacing(target) as temporary, created(temporary) as file:
            for key, item in sets.items():
                group = file.create_group(key)
                tables += _write_set(group, key, item.structures, found[key], journal, constants)
            metadata = {
                "ensemble": part, "label": model.name, "percent": percent, "seeds": [SEED],
                "data": {key: item.data for key, item in sets.items()}, "inputs": asdict(inputs),
                "level": model.level, "card": notes["card"],
            }  # fmt: skip
            write_metadata(file, metadata)
        errors = _table(model.name, percent, tables)
        write_table(results, ERRORS, errors, provenance, part)
    path.unlink()
    return errors


def _predict_all(
    model: Brought, structures: dict[str, Structures], processes: int, journal: Journal
) -> dict[str, str]:
    """Put what is predicted for each structure into the journal.

    A structure for which the process of the calculator ends is not put there, so that it is tried again when
    the run goes on; those are given, with the reasons.
    """
    done = journal.names()
    tasks = [_Task(key, index) for key, item in structures.items() for index in range(len(item))]
    waiting = [task for task in tasks if task.key not in done]
    ended: dict[str, str] = {}
    with tqdm(total=len(tasks), desc=f"evaluate {model.name}", unit="structure", smoothing=0.05) as bar:
        bar.update(len(tasks) - len(waiting))
        workers: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        for _ in range(min(processes, len(waiting))):
            workers.put(_Worker(model.load()))
        for training in (True, False):  # what cannot be fitted to need not be predicted
            part = [task for task in waiting if (task.name == TRAINING) == training]
            for task, outcome in _outcomes(part, structures, workers):
                if isinstance(outcome, EndedError):
                    ended[task.key] = str(outcome)
                else:
                    journal.add(outcome)
                bar.update()
            found = _found(TRAINING, len(structures[TRAINING]), journal, ended) if training else None
            if found is not None and not found.scored:
                raise HessbenchError(f"No structure of {TRAINING} could be evaluated: {found.reasons[0]}")
    return ended


def _outcomes(
    tasks: Sequence[_Task], structures: dict[str, Structures], workers: "queue.SimpleQueue[_Worker]"
) -> Iterator[tuple[_Task, Outcome | EndedError]]:
    """Evaluate structures, several at a time, each by a potential of its own; in about their order."""
    if not tasks:
        return

    def evaluate(task: _Task) -> Outcome | EndedError:
        worker = workers.get()
        try:
            return _evaluate(worker, task, structures[task.name])
        finally:
            workers.put(worker)

    coming, threads = iter(tasks), workers.qsize()
    pool = ThreadPoolExecutor(threads)
    try:
        running: dict[Future[Outcome | EndedError], _Task] = {}
        while True:
            for task in islice(coming, AHEAD * threads - len(running)):
                running[pool.submit(evaluate, task)] = task
            if not running:
                return
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in sorted(finished, key=lambda item: item.exception() is not None):
                yield running.pop(future), future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _evaluate(worker: _Worker, task: _Task, structures: Structures) -> Outcome | EndedError:
    """Predict for one structure; where the last ones failed as well, once more by the potential anew."""
    try:
        outcome = _predicted(worker.potential, task, structures)
    except PotentialError as error:
        worker.failures += 1
        if worker.failures < worker.patience or not isinstance(worker.potential, SeparatePotential):
            return _failed(task, error)
    else:
        worker.failures = 0
        return outcome
    worker.failures = 0
    worker.potential.restart()
    try:
        outcome = _predicted(worker.potential, task, structures)
    except PotentialError as error:
        worker.patience *= 2
        return _failed(task, error)
    worker.patience = IN_A_ROW
    return outcome


def _failed(task: _Task, error: PotentialError) -> Outcome | EndedError:
    if isinstance(error, EndedError):
        return error
    return Outcome(task.key, failures=[Failure(task.key, str(error))])


def _predicted(potential: Potential, task: _Task, structures: Structures) -> Outcome:
    """Predict for one structure what there is to compare with; of a training structure the energy alone."""
    derivatives: Derivatives = 0 if task.name == TRAINING else 1 if structures.hessians is None else 2
    batch = Batch.from_structures(structures.select(np.array([task.index])), potential.dtype)
    batch = batch.to(potential.device)
    with torch.no_grad():
        prediction = potential.predict(batch, derivatives)
        arrays = {"energies": as_array(total_energies(potential, batch, prediction))}
    if derivatives:
        arrays["forces"] = as_array(given(prediction.forces, "forces")).astype(np.float32)
    if derivatives > 1:
        arrays["hessians"] = as_array(given(prediction.hessians, "Hessians")).astype(np.float32)
    return Outcome(task.key, arrays)


def _found(name: str, structures: int, journal: Journal, ended: dict[str, str]) -> _Found:
    found = _Found()
    for index in range(structures):
        key = _Task(name, index).key
        outcome = None if key in ended else journal.get(key)
        if outcome is not None and outcome.arrays:
            found.scored.append(index)
            found.energies.append(float(outcome.arrays["energies"][0]))
        else:
            found.failed.append(index)
            found.reasons.append(ended[key] if outcome is None else outcome.failures[0].reason)
    return found


def _constants(
    training: Structures, found: _Found, all_structures: Collection[Structures]
) -> tuple[tuple[int, ...], np.ndarray]:
    """Elements, and the constant of each that brings a potential's zero of energy to that of the data."""
    fitted = training.select(np.array(found.scored))
    elements = tuple(np.unique(np.concatenate([item.numbers for item in all_structures])).tolist())
    difference = fitted.energies - np.array(found.energies)
    return elements, fit_atomic_energies(fitted.numbers, fitted.counts, difference, elements)


def _write_set(
    group: h5py.Group,
    name: str,
    structures: Structures,
    found: _Found,
    journal: Journal,
    constants: tuple[tuple[int, ...], np.ndarray],
) -> list[pd.DataFrame]:
    """Write predictions as `hessbench.experiments.errors.run.predictions` says, and give their errors."""
    names = np.array(structures.reaction_names, dtype=object)[structures.reactions]
    scored, missing = (np.array(item, dtype=np.int64) for item in (found.scored, found.failed))
    write_text(group, "reaction", names[scored].tolist())
    group["structure"] = structures.indices[scored]
    group["counts"] = structures.counts[scored]
    failed = group.create_group(FAILED)
    write_text(failed, "reaction", names[missing].tolist())
    failed["structure"] = structures.indices[missing]
    write_text(failed, "reason", found.reasons)
    if not found.scored:
        return []
    part = structures.select(scored)
    elements, values = constants
    energies = np.array(found.energies) + compositions(part.numbers, part.counts, elements) @ values
    outcomes = (journal.get(_Task(name, index).key) for index in found.scored)
    arrays = [outcome.arrays for outcome in outcomes if outcome is not None]
    forces = np.concatenate([item["forces"] for item in arrays])
    model = group.create_group(f"seed-{SEED}")
    model["energies"] = energies
    model["forces"] = forces
    hessians = None
    if structures.hessians is not None:
        hessians = np.concatenate([item["hessians"] for item in arrays])
        model["hessians"] = pack(hessians, part.counts)
    return [error_rows(SEED, name, part, structure_errors(part, energies, forces, hessians))]


def _table(name: str, percent: int, frames: list[pd.DataFrame]) -> pd.DataFrame:
    table = pd.concat(frames, ignore_index=True)
    table.insert(0, "loss", name)
    table.insert(1, "percent", percent)
    return table


def _failure_rows(name: str, structures: Structures, found: _Found) -> pd.DataFrame:
    failed = np.array(found.failed, dtype=np.int64)
    names = np.array(structures.reaction_names, dtype=object)[structures.reactions[failed]]
    return pd.DataFrame(
        {
            "seed": np.full(len(failed), SEED),
            "set": pd.Series([name] * len(failed), dtype=str),
            "reaction": pd.Series(names.tolist(), dtype=str),
            "structure": structures.indices[failed],
            "reason": pd.Series(found.reasons, dtype=str),
        }
    )
