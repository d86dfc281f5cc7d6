"""The stability test of all ensembles: models in parallel processes, one results table."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import pandas as pd
from ase import Atoms
from ase.io import read
from tqdm import tqdm

from hessbench.calculators.brought import FailuresNotFinite
from hessbench.cluster.workers import workers
from hessbench.errors import DataError, HessbenchError
from hessbench.experiments.stability.run.heating import NOT_FINITE, Heating, heat
from hessbench.experiments.stability.run.settings import StabilityConfig
from hessbench.experiments.stability.run.tables import STAGE
from hessbench.potential.ensembles import load_member
from hessbench.potential.interface import Potential
from hessbench.system.processes import Report, run_tasks
from hessbench.system.reading import reading
from hessbench.system.sources import code_digest


@dataclass(frozen=True)
class HeatingTask:
    """One model to test.

    Attributes
    ----------
    loss, seed
        Its label in tables ("E-F-H"), and its seed.
    load
        Makes it.
    digest
        Tells it from others; the heating of another one is not resumed.
    may_fail
        Whether it is a user's, whose failures end the heating of a molecule.
    """

    loss: str
    seed: int
    load: Callable[[], Potential]
    digest: str
    may_fail: bool = False


def of_model(loss: str, seed: int, path: Path) -> HeatingTask:
    """Test of a trained model, by its file."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return HeatingTask(loss, seed, partial(load_member, path), digest)


@dataclass(frozen=True)
class _Shared:
    molecules: dict[str, Atoms]
    config: StabilityConfig
    checkpoints: Path
    code: str  # after an edit no heating is resumed that was begun before it


def read_molecules(path: Path) -> dict[str, Atoms]:
    """Read the starting structures, frames of an extxyz file with a `name` each.

    Raises
    ------
    DataError
        The file is missing or unreadable, or a frame has no name of its own.
    """
    missing = "does not exist; `hessbench generate md17` makes it."
    with reading(path, "not a readable extxyz file", missing=missing):
        frames = read(path, index=":", format="extxyz")
    molecules: dict[str, Atoms] = {}
    for index, atoms in enumerate(frames):
        name = str(atoms.info.get("name", ""))
        if not name or name in molecules or "/" in name:
            raise DataError(path, f"frame {index}: `name` is missing, taken twice or has a slash ({name!r}).")
        molecules[name] = atoms
    if not molecules:
        raise DataError(path, "holds no structures; `hessbench generate md17` makes them.")
    return molecules


def run_stability(
    tasks: Sequence[HeatingTask], molecules: Mapping[str, Atoms], config: StabilityConfig, checkpoints: Path
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Heat all molecules with every model.

    Parameters
    ----------
    tasks
        The models.
    molecules
        Starting structures by name.
    config
        Settings.
    checkpoints
        Folder of what is finished and of states to resume from.

    Returns
    -------
    stability, stability_trajectory
        Rows of the tables of `hessbench.experiments.stability.run.tables`.

    Raises
    ------
    HessbenchError
        The trajectory is asked for of a molecule that is not there, or a model cannot be read.
    """
    if config.trajectory_molecule not in molecules:
        raise HessbenchError(
            f"stability.trajectory_molecule: no {config.trajectory_molecule!r} in {config.molecules}; "
            f"there are {', '.join(molecules)}."
        )
    shared = _Shared(dict(molecules), config, checkpoints, code_digest(STAGE.package))
    steps = config.intervals * config.interval_steps
    with tqdm(total=steps * len(tasks), desc="stability", unit="step", smoothing=0.05) as bar:

        def show(taken: int) -> None:
            bar.update(taken)

        results = run_tasks(_heat, tasks, shared, workers(config.processes), show)
    return _outcomes(tasks, results, config), _trajectory(tasks, results, molecules, config)


def _heat(task: HeatingTask, shared: _Shared, report: Report) -> Heating:
    """Heat all molecules with one model; runs in a process of its own."""
    settings = shared.config.model_dump_json(exclude={"processes", "checkpoint_s", "molecules", "seeds"})
    content = hashlib.sha256(f"{settings} {shared.code} {task.loss} {task.seed} {task.digest}".encode())
    for name, atoms in shared.molecules.items():
        content.update(name.encode() + atoms.numbers.tobytes() + atoms.positions.tobytes())
    potential = task.load()
    lenient = FailuresNotFinite(potential)
    heating = heat(
        shared.molecules,
        lenient if task.may_fail else potential,
        shared.config,
        f"{task.loss}/{task.seed}",
        checkpoint=shared.checkpoints / f"{task.loss}-{task.seed}.npz",
        fingerprint=content.hexdigest(),
        report=report,
    )
    for index, outcome in enumerate(heating.outcomes):
        formula = shared.molecules[outcome.molecule].get_chemical_formula()
        if NOT_FINITE in outcome.reason and formula in lenient.reasons:
            heating.outcomes[index] = replace(outcome, reason=lenient.reasons[formula])
    return heating


def _outcomes(
    tasks: Sequence[HeatingTask], results: Sequence[Heating], config: StabilityConfig
) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"loss": task.loss, "seed": task.seed, **asdict(outcome), "cap_k": config.cap_k}
            for task, result in zip(tasks, results, strict=True)
            for outcome in result.outcomes
        ]
    )


def _trajectory(
    tasks: Sequence[HeatingTask],
    results: Sequence[Heating],
    molecules: Mapping[str, Atoms],
    config: StabilityConfig,
) -> pd.DataFrame:
    """Frames of the molecule and seed whose trajectory is kept, one row an atom."""
    numbers = molecules[config.trajectory_molecule].numbers
    columns = ["molecule", "loss", "seed", "frame", "time_fs", "temperature_k", "atom", "number"]
    rows = [
        (
            config.trajectory_molecule,
            task.loss,
            task.seed,
            index,
            frame.time_fs,
            frame.temperature_k,
            atom,
            int(number),
            *frame.positions[atom],
        )
        for task, result in zip(tasks, results, strict=True)
        if task.seed == 0
        for index, frame in enumerate(result.frames)
        for atom, number in enumerate(numbers)
    ]
    return pd.DataFrame(rows, columns=[*columns, "x", "y", "z"])
