"""Langevin dynamics of many molecules at once, NVT; without friction it is velocity Verlet, NVE.

The integrator is BAOAB (Leimkuhler, Matthews, Appl. Math. Res. eXpress 2013, 34): half a kick (B) and half
a drift (A), an exact Ornstein-Uhlenbeck step of the velocities (O), half a drift and half a kick. It samples
the positions of a harmonic system exactly at any stable time step; the temperature of the velocities is low
by the factor 1 - (omega dt)^2 / 4. One force evaluation a step.

The random numbers of a molecule are a function of its key and the step, not of what else is in the batch, and
there is no state of a generator to save.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from ase import units as _ase
from ase.data import atomic_masses

from hessbench.potential.batch import Batch
from hessbench.potential.evaluation import Array, energies_and_forces
from hessbench.potential.interface import Potential
from hessbench.units import EV

BOLTZMANN = _ase.kB * EV
"""kcal/mol/K."""
ACCELERATION = _ase.fs**2 / EV
"""Acceleration in Angstrom/fs^2 of 1 amu by 1 kcal/mol/Angstrom."""
BLOCK = 50
"""Steps whose random numbers are drawn at once; part of the definition of the random streams."""


@dataclass(frozen=True)
class Replicas:
    """M molecules with A atoms in all at one moment of their dynamics.

    Attributes
    ----------
    keys
        One name a molecule, of which its random numbers are a function.
    numbers
        (A,) int64 atomic numbers.
    counts
        (M,) int64 atoms of each molecule.
    positions, velocities, forces
        (A, 3), Angstrom, Angstrom/fs, kcal/mol/Angstrom.
    step
        Steps taken so far, a multiple of `BLOCK`.
    """

    keys: tuple[str, ...]
    numbers: np.ndarray
    counts: np.ndarray
    positions: Array
    velocities: Array
    forces: Array
    step: int = 0

    @property
    def offsets(self) -> np.ndarray:
        """(M + 1,) first atom of each molecule, and A."""
        return np.concatenate([[0], np.cumsum(self.counts)])

    @property
    def masses(self) -> Array:
        """(A,) amu, natural isotopic mixtures as in ASE."""
        return atomic_masses[self.numbers]

    def select(self, molecules: np.ndarray) -> "Replicas":
        """Keep some molecules, by a mask (M,)."""
        atoms = np.repeat(molecules, self.counts)
        return replace(
            self,
            keys=tuple(key for key, kept in zip(self.keys, molecules, strict=True) if kept),
            numbers=self.numbers[atoms],
            counts=self.counts[molecules],
            positions=self.positions[atoms],
            velocities=self.velocities[atoms],
            forces=self.forces[atoms],
        )


@dataclass(frozen=True)
class Block:
    """What `BLOCK` steps gave.

    Attributes
    ----------
    replicas
        At the end.
    positions, velocities
        (BLOCK, A, 3) after each step.
    energies
        (BLOCK, M) potential energies, kcal/mol.
    broken
        (M,) index of the step after which the forces were not finite, BLOCK if they always were. From then on
        the molecule stands still.
    """

    replicas: Replicas
    positions: Array
    velocities: Array
    energies: Array
    broken: np.ndarray


def start(
    keys: Sequence[str],
    molecules: Sequence[tuple[np.ndarray, Array]],
    potential: Potential,
    temperature: float,
    seed: int = 0,
) -> Replicas:
    """Give molecules velocities of the Maxwell-Boltzmann distribution.

    Parameters
    ----------
    keys
        Of the molecules' random numbers, all different.
    molecules
        Atomic numbers (N,) and positions (N, 3) in Angstrom.
    potential
        Gives the forces.
    temperature
        K.
    seed
        Of all random numbers.
    """
    numbers = np.concatenate([item[0] for item in molecules]).astype(np.int64)
    counts = np.array([len(item[0]) for item in molecules])
    positions = np.concatenate([item[1] for item in molecules]).astype(float)
    # block -1: never drawn by a step
    draws = [_generator(seed, key, -1).standard_normal((n, 3)) for key, n in zip(keys, counts, strict=True)]
    speeds = np.sqrt(BOLTZMANN * temperature * ACCELERATION / atomic_masses[numbers])
    velocities = np.concatenate(draws) * speeds[:, None]
    batch = Batch(torch.from_numpy(numbers), torch.from_numpy(positions), torch.from_numpy(counts))
    _, forces = energies_and_forces(potential, batch)
    return Replicas(tuple(keys), numbers, counts, positions, velocities, forces)


def advance(
    replicas: Replicas,
    potential: Potential,
    temperatures: Array,
    timestep: float,
    friction: float,
    seed: int = 0,
) -> Block:
    """Take `BLOCK` steps.

    Parameters
    ----------
    replicas
        Where to start.
    potential
        Gives the forces, in one call a step for all molecules.
    temperatures
        (BLOCK,) of the thermostat at each step, K.
    timestep
        fs.
    friction
        1/fs; zero for constant energy.
    seed
        Of all random numbers.
    """
    counts, atoms = replicas.counts, len(replicas.numbers)
    numbers, sizes = torch.from_numpy(replicas.numbers), torch.from_numpy(counts)
    positions, velocities = replicas.positions.copy(), replicas.velocities.copy()
    inverse = (ACCELERATION / replicas.masses)[:, None]
    kick, drift = 0.5 * timestep * inverse, 0.5 * timestep
    kept = np.exp(-friction * timestep)
    noise = np.sqrt((1 - kept**2) * BOLTZMANN * inverse) * _noise(replicas, seed)
    noise *= np.sqrt(temperatures)[:, None, None]
    trajectory, speeds = np.empty((2, BLOCK, atoms, 3))
    energies = np.empty((BLOCK, len(counts)))
    broken = np.full(len(counts), BLOCK)
    held = np.zeros(atoms, dtype=bool)  # atoms of broken molecules
    force = replicas.forces
    for step in range(BLOCK):
        velocities += kick * force
        positions += drift * velocities
        velocities *= kept
        velocities += noise[step]
        positions += drift * velocities
        batch = Batch(numbers, torch.from_numpy(positions), sizes)
        energies[step], force = energies_and_forces(potential, batch)
        if not np.isfinite(force).all():
            wrong = np.logical_or.reduceat(~np.isfinite(force).all(axis=1), replicas.offsets[:-1])
            broken = np.where(wrong, np.minimum(broken, step), broken)
            held = np.repeat(broken <= step, counts)
        if held.any():
            positions[held] = (trajectory[step - 1] if step else replicas.positions)[held]
            velocities[held] = 0.0
            force = np.where(held[:, None], 0.0, force)
        velocities += kick * force
        trajectory[step], speeds[step] = positions, velocities
    end = replace(
        replicas, positions=positions, velocities=velocities, forces=force, step=replicas.step + BLOCK
    )
    return Block(end, trajectory, speeds, energies, broken)


def kinetic_temperature(masses: Array, velocities: Array) -> Array:
    """Temperature of the kinetic energy of one molecule, 3 N degrees of freedom, K.

    Parameters
    ----------
    masses
        (N,), amu.
    velocities
        (..., N, 3), Angstrom/fs.
    """
    twice = (masses[:, None] * velocities**2).sum(axis=(-2, -1)) / ACCELERATION
    return twice / (3 * len(masses) * BOLTZMANN)


def _generator(seed: int, key: str, block: int) -> np.random.Generator:
    digest = hashlib.sha256(f"{seed} {block} {key}".encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16])))


def _noise(replicas: Replicas, seed: int) -> Array:
    """Standard normal numbers of a block, (BLOCK, A, 3)."""
    block = replicas.step // BLOCK
    draws = [
        _generator(seed, key, block).standard_normal((BLOCK, count, 3))
        for key, count in zip(replicas.keys, replicas.counts, strict=True)
    ]
    return np.concatenate(draws, axis=1)
