"""Heating molecules until a bond breaks: the stability test of sections 2.4 and 3.5 of the paper.

One model at a time with all molecules in one ragged batch: optimization with the model, then Langevin
dynamics whose temperature rises step by step, until eq. 7 says that a molecule failed or the cap is
reached ("censored").
"""

import io
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from ase import Atoms

from hessbench.chemistry.bonds import bonded_pairs
from hessbench.chemistry.langevin import BLOCK, Block, Replicas, advance, kinetic_temperature, start
from hessbench.chemistry.relaxation import relax
from hessbench.config.paper import LONGEST_BOND, SHORTEST_BOND, WINDOW
from hessbench.experiments.stability.run.criterion import (
    bond_lengths,
    bond_name,
    first_violation,
    running_means,
)
from hessbench.experiments.stability.run.settings import StabilityConfig
from hessbench.potential.evaluation import Array
from hessbench.potential.interface import Potential
from hessbench.system.reading import reading
from hessbench.system.seal import read_sealed, write_sealed

NOT_FINITE = "forces not finite"
"""Reason, or its beginning, where a potential gave no forces."""
Status = Literal["failed", "censored", "optimization failed"]


@dataclass(frozen=True)
class Outcome:
    """How the heating of one molecule ended.

    Attributes
    ----------
    molecule
        Its name.
    status
        "failed" by eq. 7 or by forces that are not finite; "censored": whole at the cap.
    reason
        In words.
    bond
        The bond that failed, like C3-H9; None if no bond did.
    temperature_k, time_fs
        Of the thermostat and since the start, when it ended; zero if not optimized, as in Table S1.
    """

    molecule: str
    status: Status
    reason: str
    bond: str | None
    temperature_k: float
    time_fs: float


@dataclass(frozen=True)
class Frame:
    """A moment of the molecule whose trajectory is kept, first the end of its optimization; Angstrom."""

    time_fs: float
    temperature_k: float
    positions: list[list[float]]


@dataclass
class Heating:
    """The state of one run: what a checkpoint holds.

    Attributes
    ----------
    replicas
        Molecules that have not ended; None when all have.
    lengths
        Bond lengths (at most WINDOW - 1, bonds) of the latest steps by molecule.
    optimized
        Optimized bond lengths by molecule.
    outcomes
        Of the molecules that have ended.
    frames
        Of the molecule whose trajectory is kept.
    """

    replicas: Replicas | None
    lengths: dict[str, Array]
    optimized: dict[str, Array]
    outcomes: list[Outcome] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)


def heat(
    molecules: Mapping[str, Atoms],
    potential: Potential,
    config: StabilityConfig,
    stream: str,
    *,
    checkpoint: Path | None = None,
    fingerprint: str = "",
    report: Callable[[int], None] = lambda steps: None,
) -> Heating:
    """Heat molecules with one model until each has ended.

    Parameters
    ----------
    molecules
        Starting structures by name, at a minimum of the reference, which says what is bonded.
    potential
        The model.
    config
        Settings.
    stream
        Names the model: random numbers follow from `config.seed`, this name and the molecule's.
    checkpoint
        File to write now and then and to resume from, bit for bit.
    fingerprint
        Says what is computed; a checkpoint with another one is not resumed.
    report
        Called with the number of steps that have been taken.

    Returns
    -------
    Heating
        With an outcome for every molecule, in the order of `molecules`.
    """
    bonds = {name: bonded_pairs(atoms.numbers, atoms.positions) for name, atoms in molecules.items()}
    state = _load(checkpoint, fingerprint, molecules) if checkpoint else None
    if state is None:
        state = _optimize(molecules, bonds, potential, config, stream)
    total = config.intervals * config.interval_steps
    report(min(state.replicas.step if state.replicas else total, total))
    saved = time.monotonic()
    while state.replicas is not None:
        temperatures = _temperatures(config, state.replicas.step)
        block = advance(
            state.replicas, potential, temperatures, config.timestep_fs, config.friction_per_fs, config.seed
        )
        _digest(state, block, molecules, bonds, config, total)
        done = min(state.replicas.step if state.replicas else total, total)
        report(done - min(block.replicas.step - BLOCK, total))
        if checkpoint and (state.replicas is None or time.monotonic() - saved > config.checkpoint_s):
            _save(checkpoint, fingerprint, state)
            saved = time.monotonic()
    order = list(molecules)
    state.outcomes.sort(key=lambda outcome: order.index(outcome.molecule))
    return state


def _optimize(
    molecules: Mapping[str, Atoms],
    bonds: Mapping[str, np.ndarray],
    potential: Potential,
    config: StabilityConfig,
    stream: str,
) -> Heating:
    """Relax the molecules with the model and give those that stayed whole their velocities."""
    results = relax(list(molecules.values()), potential, config.fmax_ev, config.optimization_steps)
    state = Heating(None, {}, {})
    keys, structures = [], []
    for (name, atoms), result in zip(molecules.items(), results, strict=True):
        reference, lengths = (bond_lengths(item, bonds[name]) for item in (atoms.positions, result.positions))
        reason, bond = result.reason, None
        if name == config.trajectory_molecule:
            state.frames.append(Frame(0.0, 0.0, result.positions.round(4).tolist()))
        if not reason and (changed := first_violation(lengths[None], reference)):
            bond = bond_name(atoms, bonds[name][changed.bond])
            reason = f"{bond} at {changed.ratio:.2f} of its length in the reference minimum"
        if reason:
            state.outcomes.append(Outcome(name, "optimization failed", reason, bond, 0.0, 0.0))
            continue
        state.optimized[name] = lengths
        state.lengths[name] = np.empty((0, len(lengths)))
        keys.append(f"{stream}/{name}")
        structures.append((atoms.numbers, result.positions))
    if keys:
        state.replicas = start(keys, structures, potential, config.start_k, config.seed)
    return state


def _temperatures(config: StabilityConfig, first: int) -> Array:
    """Thermostat at each step of a block, K."""
    interval = np.minimum((first + np.arange(BLOCK)) // config.interval_steps, config.intervals - 1)
    return config.start_k + config.increment_k * interval


def _digest(
    state: Heating,
    block: Block,
    molecules: Mapping[str, Atoms],
    bonds: Mapping[str, np.ndarray],
    config: StabilityConfig,
    total: int,
) -> None:
    """Find out which molecules ended within a block, and keep the others."""
    first, offsets = block.replicas.step - BLOCK, block.replicas.offsets
    temperatures = _temperatures(config, first)
    every = max(BLOCK, total // config.trajectory_frames // BLOCK * BLOCK)
    going = np.ones(len(block.replicas.keys), dtype=bool)
    for index, key in enumerate(block.replicas.keys):
        name = key.rsplit("/", 1)[1]
        atoms, last = molecules[name], min(total - first, int(block.broken[index]))  # steps that count
        trajectory = block.positions[:last, offsets[index] : offsets[index + 1]]
        lengths = np.concatenate([state.lengths[name], bond_lengths(trajectory, bonds[name])])
        means = running_means(lengths) if len(lengths) >= WINDOW else np.empty((0, lengths.shape[1]))
        violation = first_violation(means, state.optimized[name]) if len(means) else None
        step = last - 1
        outcome: tuple[Status, str, str | None] | None = None
        if violation:
            # the last of the means belongs to the last step
            step = last - len(means) + violation.step
            bond = bond_name(atoms, bonds[name][violation.bond])
            limits = f"{SHORTEST_BOND} to {LONGEST_BOND}"
            reason = f"mean of {WINDOW} steps {violation.ratio:.2f} of the optimized length, outside {limits}"
            outcome = "failed", reason, bond
        elif last < min(BLOCK, total - first):
            step = last
            outcome = "failed", NOT_FINITE, None
        elif first + last >= total:
            outcome = "censored", f"whole at the cap of {config.cap_k:g} K", None
        if outcome:
            end = (first + step + 1) * config.timestep_fs
            state.outcomes.append(Outcome(name, *outcome, float(temperatures[step]), end))
            going[index] = False
        state.lengths[name] = lengths[-(WINDOW - 1) :]
        if name == config.trajectory_molecule and (outcome or block.replicas.step % every == 0):
            step = min(step, BLOCK - 1)
            span = slice(offsets[index], offsets[index + 1])
            measured = kinetic_temperature(atoms.get_masses(), block.velocities[step, span])
            positions = block.positions[step, span]
            moment = (first + step + 1) * config.timestep_fs
            state.frames.append(Frame(moment, float(measured), positions.round(4).tolist()))
    state.replicas = block.replicas.select(going) if going.any() else None


def _save(path: Path, fingerprint: str, state: Heating) -> None:
    """Write a checkpoint whole or not at all."""
    arrays = {f"optimized/{name}": value for name, value in state.optimized.items()}
    arrays |= {f"lengths/{name}": value for name, value in state.lengths.items()}
    header: dict = {
        "fingerprint": fingerprint,
        "outcomes": [asdict(outcome) for outcome in state.outcomes],
        "frames": [asdict(frame) for frame in state.frames],
    }
    if state.replicas is not None:
        header |= {"keys": state.replicas.keys, "step": state.replicas.step}
        for name in ("numbers", "counts", "positions", "velocities", "forces"):
            arrays[f"replicas/{name}"] = getattr(state.replicas, name)
    arrays["header"] = np.array(json.dumps(header))
    write_sealed(path, lambda file: np.savez(file, **arrays))  # type: ignore[arg-type]


def _load(path: Path, fingerprint: str, molecules: Mapping[str, Atoms]) -> Heating | None:
    """Read a checkpoint; None if there is none, or one of something else.

    Raises
    ------
    DataError
        The file is damaged.
    """
    if not path.exists():
        return None
    with reading(path, "is no checkpoint", "delete it to start this model anew"):
        with np.load(io.BytesIO(read_sealed(path)), allow_pickle=False) as archive:
            arrays = dict(archive)
        header = json.loads(str(arrays["header"]))
        if header["fingerprint"] != fingerprint:
            return None
        replicas = None
        if "keys" in header:
            parts = {key.split("/")[1]: value for key, value in arrays.items() if key.startswith("replicas/")}
            replicas = Replicas(keys=tuple(header["keys"]), step=header["step"], **parts)
        lengths, optimized = (
            {name: arrays[f"{part}/{name}"] for name in molecules if f"{part}/{name}" in arrays}
            for part in ("lengths", "optimized")
        )
        return Heating(
            replicas,
            lengths,
            optimized,
            [Outcome(**outcome) for outcome in header["outcomes"]],
            [Frame(**frame) for frame in header["frames"]],
        )
