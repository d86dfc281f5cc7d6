"""The stability test of all ensembles: potentials in parallel processes, one results table."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import pandas as pd
from ase import Atoms
from tqdm import tqdm

from hessbench.calculators.brought import FailuresNotFinite
from hessbench.chemistry.level_potential import LevelPotential
from hessbench.cluster.workers import workers
from hessbench.errors import HessbenchError
from hessbench.experiments.stability.run.heating import NOT_FINITE, Heating, heat
from hessbench.experiments.stability.run.mean_potential import MeanPotential
from hessbench.experiments.stability.run.settings import StabilityConfig
from hessbench.experiments.stability.run.tables import STABILITY, STAGE
from hessbench.potential.ensembles import load_member
from hessbench.potential.interface import Potential
from hessbench.system.processes import Report, run_tasks
from hessbench.system.reading import reading
from hessbench.system.sources import code_digest


@dataclass(frozen=True)
class HeatingTask:
    """One potential to test.

    Attributes
    ----------
    loss, seed
        Its label in tables ("E-F-H"), and its seed; 0 for the mean of several models.
    load
        Makes it.
    digest
        Tells it from others; the heating of another one is not resumed.
    may_fail
        Whether it is a user's, whose failures end the heating of a molecule.
    interval_fs
        Time at each temperature, if not that of the settings; then `rate_molecule` alone is heated.
    filmed
        Whether frames of it are kept.
    """

    loss: str
    seed: int
    load: Callable[[], Potential]
    digest: str
    may_fail: bool = False
    interval_fs: float | None = None
    filmed: bool = True


def of_model(loss: str, seed: int, path: Path, interval_fs: float | None = None) -> HeatingTask:
    """Test of a trained model, by its file."""
    load = partial(load_member, path)
    return HeatingTask(loss, seed, load, _digest([path]), interval_fs=interval_fs)


def mean_of(loss: str, paths: Sequence[Path]) -> HeatingTask:
    """Test of the mean of trained models as a potential of its own."""
    return HeatingTask(loss, 0, partial(_load_mean, tuple(paths)), _digest(paths), filmed=False)


def of_level(loss: str, level: str) -> HeatingTask:
    """Test of a level of theory; its seed is -1, as of all rows that are no model's."""
    return HeatingTask(loss, -1, partial(LevelPotential, level), level, filmed=False)


def _load_mean(paths: Sequence[Path]) -> Potential:
    return MeanPotential([load_member(path) for path in paths])


def _digest(paths: Sequence[Path]) -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()


@dataclass(frozen=True)
class _Shared:
    molecules: dict[str, Atoms]
    config: StabilityConfig
    checkpoints: Path
    code: str  # after an edit no heating is resumed that was begun before it


def run_stability(
    tasks: Sequence[HeatingTask], molecules: Mapping[str, Atoms], config: StabilityConfig, checkpoints: Path
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Heat all molecules with every potential.

    Parameters
    ----------
    tasks
        The potentials.
    molecules
        Starting structures by name.
    config
        Settings.
    checkpoints
        Folder of what is finished and of states to resume from.

    Returns
    -------
    stability, stability_rates, stability_trajectory
        Rows of the tables of `hessbench.experiments.stability.run.tables`.

    Raises
    ------
    HessbenchError
        A molecule that a setting names is not there, or a model cannot be read.
    """
    named = {"trajectory_molecule": config.trajectory_molecule}
    if config.rates_fs:
        named["rate_molecule"] = config.rate_molecule
    for setting, name in named.items():
        if name not in molecules:
            raise HessbenchError(
                f"stability.{setting}: no {name!r} in {config.molecules}; there are {', '.join(molecules)}."
            )
    shared = _Shared(dict(molecules), config, checkpoints, code_digest(STAGE.package))
    steps = sum(item.intervals * item.interval_steps for item in (_settings(task, config) for task in tasks))
    with tqdm(total=steps, desc="stability", unit="step", smoothing=0.05) as bar:

        def show(taken: int) -> None:
            bar.update(taken)

        # models that learn more stay whole for longer: the last ones, so they begin first
        results = run_tasks(_heat, tasks[::-1], shared, workers(config.processes), show)[::-1]
    usual = [index for index, task in enumerate(tasks) if task.interval_fs is None]
    others = [index for index, task in enumerate(tasks) if task.interval_fs is not None]
    outcomes, rates = (
        _outcomes([tasks[k] for k in chosen], [results[k] for k in chosen], config)
        for chosen in (usual, others)
    )
    chosen = [index for index in usual if tasks[index].filmed]
    trajectory = _trajectory([tasks[k] for k in chosen], [results[k] for k in chosen], molecules, config)
    return outcomes, rates, trajectory


def read_reference(path: Path, molecules: Mapping[str, Atoms]) -> pd.DataFrame:
    """Read how molecules ended at their own level of theory, rows of the table stability.

    Raises
    ------
    DataError
        The file is missing or no such table.
    """
    missing = "does not exist; `hessbench stability --reference` writes it."
    with reading(path, "is no table of the stability test", "write it again", missing=missing):
        table = pd.read_csv(path)[list(STABILITY.columns)]
    return table[table["molecule"].isin(list(molecules))]


def _settings(task: HeatingTask, config: StabilityConfig) -> StabilityConfig:
    """Settings that a potential is tested with."""
    return config.model_copy(update={"interval_fs": task.interval_fs}) if task.interval_fs else config


def _heat(task: HeatingTask, shared: _Shared, report: Report) -> Heating:
    """Heat all molecules with one potential; runs in a process of its own."""
    config = _settings(task, shared.config)
    molecules = shared.molecules
    if task.interval_fs is not None:
        molecules = {config.rate_molecule: molecules[config.rate_molecule]}
    told = {"processes", "checkpoint_s", "molecules", "seeds", "rates_fs", "ensemble_mean"}
    settings = config.model_dump_json(exclude=told)
    content = hashlib.sha256(f"{settings} {shared.code} {task.loss} {task.seed} {task.digest}".encode())
    for name, atoms in molecules.items():
        content.update(name.encode() + atoms.numbers.tobytes() + atoms.positions.tobytes())
    potential = task.load()
    lenient = FailuresNotFinite(potential)
    rate = f"-{config.interval_fs:g}" if task.interval_fs is not None else ""
    heating = heat(
        molecules,
        lenient if task.may_fail else potential,
        config,
        f"{task.loss}/{task.seed}",
        checkpoint=shared.checkpoints / f"{task.loss}-{task.seed}{rate}.npz",
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
    rows = [
        {
            "loss": task.loss,
            "seed": task.seed,
            **asdict(outcome),
            "cap_k": config.cap_k,
            "rate_k_per_ps": _settings(task, config).rate_k_per_ps,
        }
        for task, result in zip(tasks, results, strict=True)
        for outcome in result.outcomes
    ]
    return pd.DataFrame(rows, columns=list(STABILITY.columns))


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
