"""Heating molecules until a bond breaks: the stability test of sections 2.4 and 3.5 of the paper.

One potential at a time with all runs in one ragged batch: optimization with the potential, then Langevin
dynamics whose temperature rises step by step, until eq. 7 says that a molecule failed, atoms that are not
bonded come too close, or the cap is reached ("censored"). A molecule may run several times, with noise of its
own each time: replicas.
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
    Violation,
    apart_pairs,
    bond_lengths,
    bond_name,
    contact_distances,
    first_contact,
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
Status = Literal["failed", "close contact", "censored", "optimization failed"]


@dataclass(frozen=True)
class Outcome:
    """How one run of a molecule ended.

    Attributes
    ----------
    molecule, replica
        Its name, and the number of the run.
    status
        "failed" by eq. 7 or by forces that are not finite; "close contact" of atoms that are not bonded;
        "censored": whole at the cap.
    reason
        In words.
    bond
        The bond that failed or the atoms in contact, like C3-H9; None if there are none.
    temperature_k, time_fs
        Of the thermostat and since the start, when it ended; zero if not optimized, as in Table S1.
    """

    molecule: str
    replica: int
    status: Status
    reason: str
    bond: str | None
    temperature_k: float
    time_fs: float


@dataclass(frozen=True)
class Molecule:
    """A molecule as the criterion sees it.

    Attributes
    ----------
    atoms
        At a minimum of the reference, which says what is bonded.
    bonds, apart
        (B, 2) and (P, 2): pairs of atoms that are bonded, and all others.
    limits
        (P,) distances of close contacts, Angstrom.
    """

    atoms: Atoms
    bonds: np.ndarray
    apart: np.ndarray
    limits: Array

    @classmethod
    def of(cls, atoms: Atoms) -> "Molecule":
        """Find out what is bonded."""
        bonds = bonded_pairs(atoms.numbers, atoms.positions)
        apart = apart_pairs(bonds, len(atoms))
        return cls(atoms, bonds, apart, contact_distances(atoms.numbers, apart))


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
        Runs that have not ended; None when all have.
    lengths, distances
        Lengths of bonds, and distances of the other pairs, (at most WINDOW - 1, pairs) of the latest steps by
        run: "<replica>/<molecule>".
    optimized
        Optimized bond lengths by molecule.
    outcomes
        Of the runs that have ended.
    frames
        Of the molecule whose trajectory is kept, its first run.
    """

    replicas: Replicas | None
    lengths: dict[str, Array]
    distances: dict[str, Array]
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
    """Heat molecules with one potential until each run has ended.

    Parameters
    ----------
    molecules
        Starting structures by name, at a minimum of the reference, which says what is bonded.
    potential
        Gives the forces.
    config
        Settings.
    stream
        Names the potential: random numbers follow from `config.seed`, this name, the replica and the
        molecule's name.
    checkpoint
        File to write now and then and to resume from, bit for bit.
    fingerprint
        Says what is computed; a checkpoint with another one is not resumed.
    report
        Called with the number of steps that have been taken.

    Returns
    -------
    Heating
        With an outcome for every molecule, in the order of `molecules`, and every replica.
    """
    known = {name: Molecule.of(atoms) for name, atoms in molecules.items()}
    state = _load(checkpoint, fingerprint) if checkpoint else None
    if state is None:
        state = _optimize(known, potential, config, stream)
    total = config.intervals * config.interval_steps
    report(min(state.replicas.step if state.replicas else total, total))
    saved = time.monotonic()
    while state.replicas is not None:
        temperatures = _temperatures(config, state.replicas.step)
        block = advance(
            state.replicas, potential, temperatures, config.timestep_fs, config.friction_per_fs, config.seed
        )
        _digest(state, block, known, config, total)
        done = min(state.replicas.step if state.replicas else total, total)
        report(done - min(block.replicas.step - BLOCK, total))
        if checkpoint and (state.replicas is None or time.monotonic() - saved > config.checkpoint_s):
            _save(checkpoint, fingerprint, state)
            saved = time.monotonic()
    order = list(molecules)
    state.outcomes.sort(key=lambda outcome: (order.index(outcome.molecule), outcome.replica))
    return state


def _optimize(
    molecules: Mapping[str, Molecule], potential: Potential, config: StabilityConfig, stream: str
) -> Heating:
    """Relax the molecules with the potential and give those that stayed whole their velocities."""
    results = relax(
        [item.atoms for item in molecules.values()], potential, config.fmax_ev, config.optimization_steps
    )
    state = Heating(None, {}, {}, {})
    keys, structures = [], []
    for (name, molecule), result in zip(molecules.items(), results, strict=True):
        atoms = molecule.atoms
        reference, lengths = (
            bond_lengths(item, molecule.bonds) for item in (atoms.positions, result.positions)
        )
        distances = bond_lengths(result.positions, molecule.apart)
        reason, bond = result.reason, None
        # forces that are not finite may have left positions that are not either, which no figure can show
        if name == config.trajectory_molecule and np.isfinite(result.positions).all():
            state.frames.append(Frame(0.0, 0.0, result.positions.round(4).tolist()))
        if not reason and (changed := first_violation(lengths[None], reference)):
            bond = bond_name(atoms, molecule.bonds[changed.bond])
            reason = f"{bond} at {changed.ratio:.2f} of its length in the reference minimum"
        if not reason and (contact := first_contact(distances[None], molecule.limits, window=1)):
            bond = bond_name(atoms, molecule.apart[contact.bond])
            reason = f"close contact: {_nearness(contact)}"
        if not reason:
            state.optimized[name] = lengths
        for replica in range(config.replicas):
            if reason:
                state.outcomes.append(Outcome(name, replica, "optimization failed", reason, bond, 0.0, 0.0))
                continue
            run = f"{replica}/{name}"
            state.lengths[run] = np.empty((0, len(lengths)))
            state.distances[run] = np.empty((0, len(distances)))
            keys.append(f"{stream}/{run}")
            structures.append((atoms.numbers, result.positions))
    if keys:
        state.replicas = start(keys, structures, potential, config.start_k, config.seed)
    return state


def _temperatures(config: StabilityConfig, first: int) -> Array:
    """Thermostat at each step of a block, K."""
    interval = np.minimum((first + np.arange(BLOCK)) // config.interval_steps, config.intervals - 1)
    return config.start_k + config.increment_k * interval


def _digest(
    state: Heating, block: Block, molecules: Mapping[str, Molecule], config: StabilityConfig, total: int
) -> None:
    """Find out which runs ended within a block, and keep the others."""
    first, offsets = block.replicas.step - BLOCK, block.replicas.offsets
    temperatures = _temperatures(config, first)
    every = max(BLOCK, total // config.trajectory_frames // BLOCK * BLOCK)
    going = np.ones(len(block.replicas.keys), dtype=bool)
    for index, key in enumerate(block.replicas.keys):
        replica, name = key.rsplit("/", 2)[1:]
        run, molecule = f"{replica}/{name}", molecules[name]
        last = min(total - first, int(block.broken[index]))  # steps that count
        trajectory = block.positions[:last, offsets[index] : offsets[index + 1]]
        lengths, distances = (
            np.concatenate([before[run], bond_lengths(trajectory, pairs)])
            for before, pairs in ((state.lengths, molecule.bonds), (state.distances, molecule.apart))
        )
        step = last - 1
        outcome: tuple[Status, str, str | None] | None = None
        if failure := _failure(molecule, lengths, distances, state.optimized[name]):
            outcome, back = failure
            step -= back
        elif last < min(BLOCK, total - first):
            step = last
            outcome = "failed", NOT_FINITE, None
        elif first + last >= total:
            outcome = "censored", f"whole at the cap of {config.cap_k:g} K", None
        if outcome:
            end = (first + step + 1) * config.timestep_fs
            state.outcomes.append(Outcome(name, int(replica), *outcome, float(temperatures[step]), end))
            going[index] = False
        state.lengths[run], state.distances[run] = lengths[-(WINDOW - 1) :], distances[-(WINDOW - 1) :]
        kept = name == config.trajectory_molecule and replica == "0"
        if kept and (outcome or block.replicas.step % every == 0):
            step = min(step, BLOCK - 1)
            span = slice(offsets[index], offsets[index + 1])
            measured = kinetic_temperature(molecule.atoms.get_masses(), block.velocities[step, span])
            positions = block.positions[step, span]
            moment = (first + step + 1) * config.timestep_fs
            state.frames.append(Frame(moment, float(measured), positions.round(4).tolist()))
    state.replicas = block.replicas.select(going) if going.any() else None


def _failure(
    molecule: Molecule, lengths: Array, distances: Array, optimized: Array
) -> tuple[tuple[Status, str, str], int] | None:
    """Status, reason and pair of atoms of the first failure within these steps, and how many steps ago."""
    if len(lengths) < WINDOW:
        return None
    means = running_means(lengths)
    broken = first_violation(means, optimized)
    contact = first_contact(distances, molecule.limits)
    if broken and (contact is None or broken.step <= contact.step):
        reason = f"outside {SHORTEST_BOND} to {LONGEST_BOND}"
        reason = f"mean of {WINDOW} steps {broken.ratio:.2f} of the optimized length, {reason}"
        bond = bond_name(molecule.atoms, molecule.bonds[broken.bond])
        return ("failed", reason, bond), len(means) - 1 - broken.step
    if contact:
        bond = bond_name(molecule.atoms, molecule.apart[contact.bond])
        reason = f"mean of {WINDOW} steps at {_nearness(contact)}"
        return ("close contact", reason, bond), len(means) - 1 - contact.step
    return None


def _nearness(contact: Violation) -> str:
    return f"{SHORTEST_BOND * contact.ratio:.2f} of the sum of covalent radii, below {SHORTEST_BOND}"


def _save(path: Path, fingerprint: str, state: Heating) -> None:
    """Write a checkpoint whole or not at all."""
    arrays = {f"optimized/{name}": value for name, value in state.optimized.items()}
    arrays |= {f"lengths/{run}": value for run, value in state.lengths.items()}
    arrays |= {f"distances/{run}": value for run, value in state.distances.items()}
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


def _load(path: Path, fingerprint: str) -> Heating | None:
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
        lengths, distances, optimized = (
            {key.removeprefix(part): value for key, value in arrays.items() if key.startswith(part)}
            for part in ("lengths/", "distances/", "optimized/")
        )
        return Heating(
            replicas,
            lengths,
            distances,
            optimized,
            [Outcome(**outcome) for outcome in header["outcomes"]],
            [Frame(**frame) for frame in header["frames"]],
        )
