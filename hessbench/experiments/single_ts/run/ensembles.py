"""Ensembles trained on one transition state and what they predict along its reaction path (section 3.1)."""

import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from hessbench.chemistry.normal_modes import NormalModes, atomic_masses, normal_modes
from hessbench.cluster.workers import workers
from hessbench.config.device import chosen_device
from hessbench.config.loss_labels import REFERENCE
from hessbench.data.layout import ReactionFile
from hessbench.errors import DataError
from hessbench.experiments.single_ts.run.settings import SingleTSConfig
from hessbench.experiments.single_ts.run.tables import STAGE
from hessbench.experiments.single_ts.run.training import errors, target_of, train_stack
from hessbench.potential.registry import build
from hessbench.potential.stack import Stack
from hessbench.system.processes import Report, run_tasks
from hessbench.system.reading import reading
from hessbench.system.seal import read_sealed, write_sealed
from hessbench.system.sources import code_digest
from hessbench.training.settings import PAPER_LOSSES, labels_of

DIVERGED = "the training diverged"


@dataclass(frozen=True)
class ReactionPath:
    """Reference data of the experiment, energies relative to the TS in kcal/mol.

    Attributes
    ----------
    numbers
        (N,).
    coordinates, energies, path_coordinate
        Of the P structures of the path: (P, N, 3), (P,), (P,), amu^0.5 Angstrom.
    ts, forces, hessian
        Of the TS: (N, 3), (N, 3), (3 N, 3 N).
    data, level
        Name, version, level and checksum of the data; their level of theory.
    """

    numbers: np.ndarray
    coordinates: np.ndarray
    energies: np.ndarray
    path_coordinate: np.ndarray
    ts: np.ndarray
    forces: np.ndarray
    hessian: np.ndarray
    data: str
    level: str


@dataclass(frozen=True)
class Trained:
    """Some models of one loss after training; what they predict for the path and for the TS.

    Attributes
    ----------
    path_energies
        (m, P).
    hessians
        (m, 3 N, 3 N) at the TS.
    energy_errors, force_errors, hessian_errors
        (m,), root mean square at the TS.
    """

    path_energies: np.ndarray
    hessians: np.ndarray
    energy_errors: np.ndarray
    force_errors: np.ndarray
    hessian_errors: np.ndarray


NAMES = tuple(field.name for field in fields(Trained))


def read_path(file: Path) -> ReactionPath:
    """Read the groups `path` and `stationary` that `hessbench generate single-ts` writes.

    Raises
    ------
    DataError
        The file is missing or damaged, or does not hold them.
    """
    with ReactionFile(file) as reactions:
        path, stationary = reactions["path"], reactions["stationary"]
        data, level = reactions.identifier, reactions.metadata.level
    roles = stationary.annotations.get("role", np.array([])).tolist()
    if "TS" not in roles or stationary.hessians is None:
        raise DataError(file, "needs a structure of role TS with its Hessian.", "stationary")
    coordinate = path.annotations.get("path_coordinate")
    if coordinate is None or np.count_nonzero(coordinate == 0) != 1:
        raise DataError(file, "needs a path_coordinate that is zero at one structure, the TS.", "path")
    ts = roles.index("TS")
    return ReactionPath(
        numbers=path.numbers.astype(np.int64),
        coordinates=path.coordinates,
        energies=path.energies - stationary.energies[ts],
        path_coordinate=coordinate,
        ts=stationary.coordinates[ts],
        forces=stationary.forces[ts],
        hessian=stationary.hessians[ts],
        data=data,
        level=level,
    )


def run_single_ts(
    path: ReactionPath, config: SingleTSConfig, checkpoints: Path
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Train every ensemble and predict the path with it.

    Parameters
    ----------
    path
        Reference data.
    config
        Settings.
    checkpoints
        Folder of what is finished, which is not trained again with the same data, settings and code.

    Returns
    -------
    single_ts, single_ts_modes
        Rows of the tables of `hessbench.experiments.single_ts.run.tables`.
    """
    tasks = [
        (loss, first) for loss in config.losses for first in range(0, config.models, config.models_at_once)
    ]
    shared = _Shared(path, config, checkpoints, code_digest(STAGE.package))
    with tqdm(total=config.steps * len(tasks), desc="single TS", unit="step", smoothing=0.05) as bar:

        def show(taken: int) -> None:
            bar.update(taken)

        results = run_tasks(_train, tasks, shared, workers(config.processes), show)
    ensembles = {
        label: _join([result for task, result in zip(tasks, results, strict=True) if task[0] == loss])
        for loss, label in labels_of(config.losses).items()
    }
    return _energies(path, ensembles), _modes(path, config, ensembles)


def make_stack(path: ReactionPath, config: SingleTSConfig, seeds: Sequence[int]) -> Stack:
    """Make models, as everywhere by their seeds, and put them together for the TS."""
    models = [build(config.model, seed) for seed in seeds]
    return type(models[0]).stacked(models, path.numbers, path.ts, config.energy_unit)


@dataclass(frozen=True)
class _Shared:
    """What all processes need: data, settings and code."""

    path: ReactionPath
    config: SingleTSConfig
    checkpoints: Path
    code: str


def _train(task: tuple[str, int], shared: _Shared, report: Report) -> Trained:
    """Train models `first` to `first` + `models_at_once` of one loss; runs in a process of its own."""
    loss, first = task
    path, config = shared.path, shared.config
    seeds = range(first, min(first + config.models_at_once, config.models))
    settings = config.model_dump(
        mode="json",
        exclude={
            "models",
            "models_at_once",
            "processes",
            "losses",
            "window",
            "variants",
            "models_of_variants",
        },
    )
    settings |= {"loss": config.losses[loss].model_dump(exclude={"label"}), "seeds": list(seeds)}
    settings |= {"data": path.data, "code": shared.code}
    fingerprint = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()
    checkpoint = shared.checkpoints / f"{loss}-{first}.npz"
    finished = _load(checkpoint, fingerprint)
    if finished:
        report(config.steps)
        return finished
    stack = make_stack(path, config, seeds).to(chosen_device())
    weight = next(stack.parameters())
    target = target_of(
        path.numbers, *(torch.as_tensor(item).to(weight) for item in (path.ts, path.forces, path.hessian))
    )
    train_stack(stack, target, config.losses[loss], config, report)
    with torch.no_grad():
        predictions = stack.predict(2)
        fit = errors(PAPER_LOSSES["efh"].terms, predictions, target)
        energies = stack.energies(path.coordinates)
    assert predictions.hessians is not None
    arrays = (energies, predictions.hessians, *fit.values())
    trained = Trained(*(array.double().cpu().numpy() for array in arrays))
    content = {"fingerprint": np.array(fingerprint), **{name: getattr(trained, name) for name in NAMES}}
    write_sealed(checkpoint, lambda file: np.savez(file, **content))
    return trained


def _load(checkpoint: Path, fingerprint: str) -> Trained | None:
    """Read what is finished; None if nothing is, or with other data, settings or code."""
    if not checkpoint.exists():
        return None
    with (
        reading(checkpoint, "is no checkpoint", "delete it to train anew"),
        np.load(io.BytesIO(read_sealed(checkpoint)), allow_pickle=False) as archive,
    ):
        if str(archive["fingerprint"]) != fingerprint:
            return None
        return Trained(*(archive[name] for name in NAMES))


def _join(parts: list[Trained]) -> Trained:
    return Trained(*(np.concatenate([getattr(part, name) for part in parts]) for name in NAMES))


def sees_maximum(energies: np.ndarray, path_coordinate: np.ndarray, window: float) -> np.ndarray:
    """Whether the TS lies above every other structure of the path within a distance.

    Parameters
    ----------
    energies
        (..., P).
    path_coordinate
        (P,), zero at the TS.
    window
        The distance.
    """
    ts = int(np.argmin(np.abs(path_coordinate)))
    near = np.abs(path_coordinate) <= window
    near[ts] = False
    below = energies[..., near] < energies[..., ts : ts + 1]
    return np.asarray(below.all(axis=-1))


def _energies(path: ReactionPath, ensembles: dict[str, Trained]) -> pd.DataFrame:
    """Energies along the path, one row per loss, model and structure."""
    structures = np.arange(len(path.energies))

    def rows(loss: str, model: int, energies: np.ndarray) -> pd.DataFrame:
        finite = np.isfinite(energies)
        return pd.DataFrame(
            {
                "loss": loss,
                "model": model,
                "structure": structures,
                "path_coordinate": path.path_coordinate,
                "energy": np.where(finite, energies, np.nan),
                "reason": np.where(finite, "", DIVERGED),
            }
        )

    frames = [rows(REFERENCE, -1, path.energies)]
    for label, trained in ensembles.items():
        frames += [rows(label, model, energies) for model, energies in enumerate(trained.path_energies)]
    return pd.concat(frames, ignore_index=True)


def _modes(path: ReactionPath, config: SingleTSConfig, ensembles: dict[str, Trained]) -> pd.DataFrame:
    """What each model says about the TS, one row per model, with its errors there."""
    masses = atomic_masses(path.numbers)

    def row(loss: str, model: int, modes: NormalModes, maximum: bool, fit: Sequence[float]) -> dict:
        return {
            "loss": loss,
            "model": model,
            "lowest_frequency_cm1": float(modes.wavenumbers[0]),
            "negative_modes": modes.imaginary,
            "ts_is_maximum": maximum,
            "energy_error": fit[0],
            "force_error": fit[1],
            "hessian_error": fit[2],
            "reason": "",
        }

    reference = normal_modes(path.ts, masses, path.hessian)
    maximum = bool(sees_maximum(path.energies, path.path_coordinate, config.window))
    rows = [row(REFERENCE, -1, reference, maximum, (0.0, 0.0, 0.0))]
    for label, trained in ensembles.items():
        maxima = sees_maximum(trained.path_energies, path.path_coordinate, config.window)
        fits = np.stack([trained.energy_errors, trained.force_errors, trained.hessian_errors], axis=1)
        for model, hessian in enumerate(trained.hessians):
            if np.isfinite(hessian).all() and np.isfinite(trained.path_energies[model]).all():
                modes = normal_modes(path.ts, masses, hessian)
                rows.append(row(label, model, modes, bool(maxima[model]), fits[model].tolist()))
            else:
                empty = dict.fromkeys(rows[0], None)
                rows.append(
                    empty | {"loss": label, "model": model, "ts_is_maximum": False, "reason": DIVERGED}
                )
    return pd.DataFrame(rows)
