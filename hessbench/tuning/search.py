"""Successive halving: train the candidates for a while, go on with the better ones for longer.

K. Jamieson and A. Talwalkar, Non-stochastic best arm identification and hyperparameter optimization, AISTATS
2016. The rounds are synchronous, so the outcome does not depend on which training ends first.
"""

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hessbench.cluster.workers import workers
from hessbench.data.split import Split
from hessbench.data.structures import Structures
from hessbench.errors import DataError, TrainingError
from hessbench.system.files import write_text
from hessbench.system.processes import Report, run_tasks
from hessbench.training.fingerprint import describe, fingerprint
from hessbench.training.loop import train
from hessbench.training.loss import TARGETS
from hessbench.training.preparation import examples, prepared
from hessbench.tuning.candidates import Candidate, apply, draw_candidates
from hessbench.tuning.settings import TuningConfig

DISPLACEMENT = 0.05
"""Angstrom, of a coordinate: what bonds and angles have at room temperature."""
DIVERGED = "diverged"
"""The reason of a trial without errors."""


@dataclass(frozen=True)
class Trial:
    """One training of the search: a candidate in a round, with one seed."""

    rung: int
    candidate: Candidate
    seed: int


@dataclass(frozen=True)
class Task:
    """What all trials share: plain profile, loss, search and its file, split, and the folder of outcomes."""

    profile: Mapping[str, Any]
    loss: str
    config: TuningConfig
    source: Path
    split: Split
    folder: Path


def search(
    task: Task, structures: Structures, processes: int, on_trial: Callable[[Trial, Mapping[str, Any]], None]
) -> pd.DataFrame:
    """Run a search for one loss; what finished before, with the same data, settings and code, is kept.

    Parameters
    ----------
    task
        See there.
    structures
        The whole data set that the split shares out.
    processes
        Trainings at the same time, one thread each.
    on_trial
        Called as trials end, with the outcome.

    Returns
    -------
    pandas.DataFrame
        A row for each candidate of each round, the last round and in it the best first: ``rung``,
        ``candidate``, ``score`` (`score_of`, empty if a model diverged), the validation errors (root mean
        square over the models), ``seconds`` of processor time, ``models``, ``reason``, and the choices.

    Raises
    ------
    HessbenchError
        Settings cannot be used, or every candidate of a round diverged.
    """
    config = task.config
    parts = (
        structures.select(task.split.training_at(config.percent)),
        structures.select(task.split.validation),
    )
    candidates, rows = draw_candidates(config), list[dict[str, Any]]()
    for candidate in candidates:  # all choices are checked before the first training
        apply(candidate, task.profile, task.loss, 1, task.source)
    for number, rung in enumerate(config.rungs):
        candidates = candidates[: rung.candidates]
        trials = [Trial(number, item, seed) for item in candidates for seed in range(rung.seeds)]
        outcomes = run_tasks(
            _run_trial, trials, (task, *parts), workers(processes), lambda done: on_trial(done[0], done[1])
        )
        of_round = []
        for candidate in candidates:
            own = [
                found for trial, found in zip(trials, outcomes, strict=True) if trial.candidate is candidate
            ]
            of_round.append((candidate, _row(number, candidate, own, parts[1].counts)))
        of_round.sort(key=lambda pair: math.inf if pair[1]["score"] is None else pair[1]["score"])
        if of_round[0][1]["score"] is None:
            raise TrainingError(f"Every candidate of round {number + 1} diverged; lower the learning rates.")
        candidates = [candidate for candidate, row in of_round if row["score"] is not None]
        rows = [row for _, row in of_round] + rows
    return pd.DataFrame(rows)


def score_of(errors: Mapping[str, float], counts: NDArray[np.int64]) -> float:
    """Geometric mean of the errors of energy, displaced force and Hessian, kcal/mol/Angstrom.

    A tenth less of any of them counts the same, whatever its unit and size, and whatever terms the loss has.
    The structures are stationary points, where a flat surface has the best forces; so forces are judged where
    every coordinate is displaced by `DISPLACEMENT` (root mean square): to second order their mean square
    error is that at the structure and, for each coordinate, the square of the displacement times the squares
    of a row of the Hessian's error.

    Parameters
    ----------
    errors
        Root mean square over the elements of a set, of energy, force and Hessian.
    counts
        (M,) atoms of the structures of the set.
    """
    rows = 3 * counts.astype(float)
    length = (rows**2).sum() / rows.sum()  # of a Hessian's row, averaged over rows
    displaced = math.sqrt(errors["force"] ** 2 + length * (DISPLACEMENT * errors["hessian"]) ** 2)
    return math.exp((math.log(errors["energy"]) + math.log(displaced) + math.log(errors["hessian"])) / 3)


def _run_trial(trial: Trial, shared: tuple[Task, Structures, Structures], report: Report) -> dict[str, Any]:
    """Train one model, or read what was found before; runs in a process of its own."""
    task, training, validation = shared
    epochs = task.config.rungs[trial.rung].epochs
    model_config, config = apply(trial.candidate, task.profile, task.loss, epochs, task.source)
    loss, split = config.losses[task.loss], task.split
    indices = split.training_at(task.config.percent)
    description = describe(split.data, indices, split.validation, loss, model_config, config)
    digest = fingerprint(description, trial.seed)
    path = task.folder / f"{trial.rung + 1}-{trial.candidate.number}-{trial.seed}.json"
    found = _read(path)
    if found is None or found["fingerprint"] != digest:
        model = prepared(model_config, trial.seed, training)
        start = time.process_time()
        found = {"fingerprint": digest, "errors": None, "reason": None}
        try:
            history = train(
                model, examples(model, training), examples(model, validation), loss, config, trial.seed
            )
        except TrainingError as error:
            found["reason"] = f"{DIVERGED}: {error}"
        else:
            last = history[-1]
            found["errors"] = {name: last[f"validation_{target.column}"] for name, target in TARGETS.items()}
        found["seconds"] = time.process_time() - start
        write_text(path, json.dumps(found, indent=1) + "\n")
    report((trial, found))
    return found


def _read(path: Path) -> dict[str, Any] | None:
    if not path.exists():
        return None
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(path, f"cannot be read ({error}); delete it, the trial is made anew.") from None
    return found


def _row(
    rung: int, candidate: Candidate, outcomes: Sequence[Mapping[str, Any]], counts: NDArray[np.int64]
) -> dict[str, Any]:
    """One candidate in one round."""
    row: dict[str, Any] = {"rung": rung + 1, "candidate": candidate.number, "score": None}
    failed = next((item["reason"] for item in outcomes if item["reason"]), None)
    errors: dict[str, float] = {}
    if not failed:
        for name in TARGETS:
            squares = [item["errors"][name] ** 2 for item in outcomes]
            errors[name] = math.sqrt(sum(squares) / len(squares))
        row["score"] = score_of(errors, counts)
    row |= {f"validation_{target.column}": errors.get(name) for name, target in TARGETS.items()}
    row |= {"seconds": sum(item["seconds"] for item in outcomes), "models": len(outcomes), "reason": failed}
    weights = {f"weight of {quantity}": value for quantity, value in candidate.weights.items()}
    return row | {path: json.dumps(value) for path, value in candidate.settings.items()} | weights
