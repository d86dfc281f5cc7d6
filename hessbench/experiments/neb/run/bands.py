"""Reaction paths of all ensembles and of the level of theory itself (sections 2.5 and 3.6 of the paper)."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from ase import Atoms
from tqdm import tqdm

from hessbench.chemistry.band import Band, Status, optimize_band, unphysical
from hessbench.chemistry.relaxation import relax
from hessbench.comparison.kept import Content, Keeping
from hessbench.comparison.potentials import NamedPotential
from hessbench.config.loss_labels import REFERENCE
from hessbench.errors import PotentialError
from hessbench.experiments.neb.run.settings import NebConfig
from hessbench.experiments.neb.run.tables import GEOMETRY, PATHS, SPRINGS, STAGE, SUMMARY
from hessbench.potential.interface import Potential
from hessbench.reactions.kinds import PathReaction, bond_changes
from hessbench.reactions.superposition import rmsd
from hessbench.results.store.tables import Table
from hessbench.system.processes import Report, Workers, run_tasks
from hessbench.system.sources import code_digest

REFERENCE_ITERATIONS = 100
"""A reference band starts through its transition state and converges in some tens of steps or not at all."""
SAME_BARRIER = 0.5
"""Barriers of band and refined transition state agree within this, kcal/mol."""
NOT_OF_A_BAND = {
    "geometries", "level", "losses", "percent", "seeds", "held_out", "candidates", "single_transfer_barrier",
    "multi_process_barrier", "seed", "processes", "other_springs_ev_a2",
}  # fmt: skip
"""Settings that say which bands there are; one is the same whichever others there are."""


@dataclass(frozen=True)
class BandTask:
    """One band: a reaction with one potential.

    Attributes
    ----------
    reaction
        Number of the reaction.
    potential
        It.
    spring
        One of the other springs of the profile, eV/Angstrom^2; None: those of its bands.
    """

    reaction: int
    potential: NamedPotential
    spring: float | None


@dataclass(frozen=True)
class NebTables:
    """Rows of the tables neb_..., see `hessbench.experiments.neb.run.tables`."""

    paths: pd.DataFrame
    summary: pd.DataFrame
    geometry: pd.DataFrame
    springs: pd.DataFrame


def run_neb(
    reactions: Sequence[PathReaction],
    potentials: Sequence[NamedPotential],
    config: NebConfig,
    processes: int | Workers,
) -> NebTables:
    """Relax a band for every reaction with every potential, for held-out ones also with the other springs.

    With these the first model of each loss alone: it tells what springs do, and many models cost hours.

    Parameters
    ----------
    reactions
        With their end points at the level of theory of the data.
    potentials
        Bands start from an interpolation between the end
        points alone; but those of "reference" for the two reactions of the paper's figures, beside which the
        others are drawn, start through the refined transition state. For the other reactions the reference
        is the control: what it does not converge for, from the same start, is no fault of a model. Barriers
        are compared with that of the refined transition state.
    config
        Settings.
    processes
        At most so many bands at the same time, or other workers: `keeping_bands`, to go on where an
        interrupted run ended. The tables do not depend on it.

    Returns
    -------
    NebTables
        Geometries of the two reactions of the paper's figures only.
    """
    first = {potential.loss: potential for potential in reversed(potentials)}
    tasks = [BandTask(index, item, None) for index in range(len(reactions)) for item in potentials]
    tasks += [
        BandTask(index, item, spring)
        for index, reaction in enumerate(reactions)
        if reaction.kind == "held-out"
        for item in first.values()
        for spring in config.other_springs_ev_a2
    ]
    tasks.sort(key=lambda task: task.potential.loss != REFERENCE)  # the longest ones first
    done = processes.finished(tasks) if isinstance(processes, Keeping) else 0
    with tqdm(total=len(tasks), initial=done, desc="neb", unit="band", smoothing=0.05) as bar:

        def show(done: int) -> None:
            bar.update(done)

        bands = run_tasks(_relax_band, tasks, (list(reactions), config), processes, show)
    rows: tuple[list[pd.DataFrame], list[dict], list[pd.DataFrame]] = ([], [], [])
    springs: list[dict] = []
    for task, band in zip(tasks, bands, strict=True):
        reaction = reactions[task.reaction]
        of_potential = {"loss": task.potential.loss, "seed": task.potential.seed}
        key = {"reaction": reaction.name, "kind": reaction.kind, **of_potential}
        if task.spring is not None:
            springs.append({"spring_ev_a2": task.spring, **key, **_summary(reaction, band)})
            continue
        rows[1].append({**key, **_summary(reaction, band)})
        if band.energies is None:
            continue
        rows[0].append(_path(key, band))
        if reaction.kind != "held-out":
            rows[2].append(_geometry(key, reaction.numbers, band))
    return NebTables(
        _joined(rows[0], PATHS),
        _frame(rows[1], SUMMARY),
        _joined(rows[2], GEOMETRY),
        _frame(springs, SPRINGS),
    )


def keeping_bands(
    processes: int | Workers, folder: Path, reactions: Sequence[PathReaction], config: NebConfig
) -> Keeping:
    """Workers of `run_neb` for these reactions and settings that keep each band in a folder at once."""
    settings = _settings_of_a_band(config)

    def made_from(task: BandTask) -> object:
        potential = task.potential
        named = potential.loss, potential.seed, potential.digest
        return "band", reactions[task.reaction], *named, task.spring, settings

    return Keeping(processes, folder, "bands", code_digest(STAGE.package), made_from, asdict, _band)


def keeping_reactions(processes: int | Workers, folder: Path, level: str, config: NebConfig) -> Keeping:
    """Workers of `hessbench.reactions.choice.choose_reactions` that keep each reaction they try at once.

    Their tasks hold the geometries and barriers that are tried; `level` is the level of theory.
    """
    settings = _settings_of_a_band(config)

    def made_from(task: object) -> object:
        return "reaction", task, level, settings

    code = code_digest(STAGE.package)
    return Keeping(processes, folder, "searches for reactions", code, made_from, _packed, _reaction)


def relax_reaction(
    reaction: PathReaction, potential: Potential, config: NebConfig, *, through_saddle: bool = False
) -> Band:
    """Optimize the end points of a reaction with a potential, then the band between them.

    An end point fails if it is not converged or if it lost or gained a bond: the path would be that of
    another reaction. `through_saddle`: the band starts through the known transition state, not from
    an interpolation between the end points alone.
    """
    ends = np.stack([reaction.reactant, reaction.product])
    try:
        relaxed = relax(
            [Atoms(reaction.numbers, end) for end in ends],
            potential,
            config.end_point_fmax_ev_a,
            config.end_point_steps,
        )
    except PotentialError as error:
        return Band("end point failed", str(error), 0, None, ends, None)
    for name, before, after in zip(("reactant", "product"), ends, relaxed, strict=True):
        problem = after.reason or unphysical(reaction.numbers, after.positions[None])
        if not problem:
            changes = bond_changes(reaction.numbers, before, after.positions)
            if len(changes.broken) or len(changes.made):
                problem = f"collapsed, {len(changes.broken)} bonds broken and {len(changes.made)} made"
        if problem:
            return Band("end point failed", f"{name}: {problem}", 0, None, ends, None)
    band = config.band
    if reaction.kind == "held-out":
        band = band.model_copy(update={"images": config.held_out_images})
    through = reaction.transition_state if through_saddle else None
    return optimize_band(
        reaction.numbers, relaxed[0].positions, relaxed[1].positions, potential, band, through
    )


def has_reference_band(reaction: PathReaction, potential: Potential, config: NebConfig) -> bool:
    """Whether the band at the level of theory converges, and to the refined transition state.

    That state need not be the highest point between the minima: a path of several steps may have another one.
    """
    quick = config.band.model_copy(
        update={"max_iterations": min(config.band.max_iterations, REFERENCE_ITERATIONS)}
    )
    band = relax_reaction(reaction, potential, config.model_copy(update={"band": quick}), through_saddle=True)
    return (
        band.status == "converged"
        and band.energies is not None
        and abs(float(band.energies.max()) - reaction.barrier) < SAME_BARRIER
    )


def _relax_band(task: BandTask, shared: tuple[list[PathReaction], NebConfig], report: Report) -> Band:
    """Relax one band; runs in a process of its own."""
    reactions, config = shared
    reaction = reactions[task.reaction]
    through = task.potential.loss == REFERENCE and reaction.kind != "held-out"
    potential = task.potential.load()
    band = relax_reaction(reaction, potential, config.with_spring(task.spring), through_saddle=through)
    report(1)
    return band


def _settings_of_a_band(config: NebConfig) -> str:
    return config.model_dump_json(exclude=NOT_OF_A_BAND)


def _band(content: Content) -> Band:
    return Band(**content)


def _packed(reaction: PathReaction | None) -> Content:
    """What is kept of a reaction that was tried; nothing, in a file, of one that will not do."""
    return {} if reaction is None else asdict(reaction) | {"trained": sorted(reaction.trained)}


def _reaction(content: Content) -> PathReaction | None:
    return PathReaction(**content | {"trained": frozenset(content["trained"])}) if content else None


def _summary(reaction: PathReaction, band: Band) -> dict:
    """How a band ended; barrier and TS of one that did not converge are no predictions and stay empty."""
    status: Status = band.status
    converged = status == "converged" and band.energies is not None
    return {
        "status": status,
        "reason": band.reason,
        "iterations": band.iterations,
        "max_force_ev_a": band.max_force,
        "barrier": float(band.energies.max()) if converged and band.energies is not None else None,
        "barrier_reference": reaction.barrier,
        "rmsd_ts": rmsd(band.coordinates[band.highest], reaction.transition_state) if converged else None,
    }


def _frame(rows: list[dict], table: Table) -> pd.DataFrame:
    """Rows of a summary; a column in which all bands failed has numbers, none of them known."""
    frame = pd.DataFrame(rows, columns=list(table.columns))
    return frame.astype({"barrier": float, "rmsd_ts": float, "max_force_ev_a": float})


def _joined(frames: list[pd.DataFrame], table: Table) -> pd.DataFrame:
    """Join the rows of all bands; a table without rows if no band could be evaluated."""
    if not frames:
        return pd.DataFrame(columns=list(table.columns))
    return pd.concat(frames, ignore_index=True)


def _path(key: dict, band: Band) -> pd.DataFrame:
    return pd.DataFrame(
        {
            **key,
            "image": np.arange(len(band.coordinates)),
            "path_coordinate": band.path_coordinate,
            "energy": band.energies,
        }
    )


def _geometry(key: dict, numbers: np.ndarray, band: Band) -> pd.DataFrame:
    images, atoms = band.coordinates.shape[:2]
    x, y, z = band.coordinates.reshape(-1, 3).T
    return pd.DataFrame(
        {
            **{name: key[name] for name in ("reaction", "loss", "seed")},
            "image": np.repeat(np.arange(images), atoms),
            "atom": np.tile(np.arange(atoms), images),
            "number": np.tile(numbers.astype(int), images),
            "x": x,
            "y": y,
            "z": z,
        }
    )
