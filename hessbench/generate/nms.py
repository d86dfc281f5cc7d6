"""Normal mode sampling around intermediate structures of reaction paths (sections 2.1 and 3.4).

Smith, Isayev and Roitberg (Chem. Sci. 8, 3192 (2017)) displace a minimum along its normal modes by thermal
amplitudes. Here the structure lies on a path: the mode along the path is projected out of the Hessian
together with translations and rotations (Miller, Handy and Adams, J. Chem. Phys. 72, 99 (1980)), and each of
the remaining modes gets a displacement from its classical Boltzmann distribution at the temperature T,

    Q_i ~ Normal(0, k_B T / max(|lambda_i|, lambda_min)),   x = x_0 + M^(-1/2) sum_i L_i Q_i,

where lambda_i is the force constant and L_i the mass-weighted vector of mode i. lambda_min keeps soft modes,
in which a straight displacement would tear bonds, within bounds; |lambda_i| lets modes across a ridge move.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
from ase import units as ase_units

from hessbench.chemistry.level import LevelError
from hessbench.chemistry.levels import make_level
from hessbench.chemistry.normal_modes import WAVENUMBER, NormalModes, atomic_masses, normal_modes
from hessbench.data.layout import Reaction
from hessbench.generate.labels import collect, label, state_of
from hessbench.generate.settings import GenerateConfig
from hessbench.system.journal import Failure, Outcome
from hessbench.units import EV

BOLTZMANN = ase_units.kB * EV
"""kcal/mol/K."""


@dataclass(frozen=True)
class NmsTask:
    """Path of one reaction to sample around."""

    path: Reaction
    config: GenerateConfig

    @property
    def name(self) -> str:
        """Name of the reaction."""
        return self.path.name


def nms_reaction(task: NmsTask) -> Outcome:
    """Displace the intermediate structures of one path and label what comes out.

    Intermediate are all but the transition state and the two ends. A displaced structure whose energy lies
    more than `config.nms_energy_cap` above its parent's, or whose SCF fails, is a failure.

    Returns
    -------
    Outcome
        Labels with the annotations parent (index of the structure in the reaction of the IRC file),
        temperature (K) and path_coordinate (of the parent).
    """
    path, config = task.path, task.config
    if path.hessians is None:
        return Outcome(task.name, failures=[Failure("NMS", "the path has no Hessians")])
    masses = atomic_masses(path.numbers)
    along = path.annotations["path_coordinate"]
    random = reaction_generator(config.seed, path.name)
    level = make_level(config.level, path.numbers, path.charge, path.multiplicity)
    coordinates, labels, parents, temperatures, failures = [], [], [], [], []
    for parent in range(1, len(path) - 1):
        if along[parent] == 0:
            continue
        # On the path the mass-weighted gradient is its tangent.
        tangent = (path.forces[parent] / np.sqrt(masses)[:, None]).ravel()
        modes = normal_modes(path.coordinates[parent], masses, path.hessians[parent], tangent)
        for temperature in config.nms_temperatures:
            for _ in range(config.nms_per_parent):
                displaced = path.coordinates[parent] + displacement(
                    modes, masses, temperature, config.nms_lowest_wavenumber, random
                )
                try:
                    energy = level.gradient(displaced)[0] - path.energies[parent]
                    if energy > config.nms_energy_cap:
                        raise LevelError(f"{energy:.0f} kcal/mol above its parent")
                    labels.append(label(level, displaced))
                except LevelError as error:
                    failures.append(Failure(f"NMS of {along[parent]:+.3f} at {temperature:g} K", str(error)))
                    continue
                coordinates.append(displaced)
                parents.append(parent)
                temperatures.append(float(temperature))
    arrays = collect(
        path.numbers,
        coordinates,
        labels,
        parent=list(parents),
        temperature=list(temperatures),
        path_coordinate=[along[parent] for parent in parents],
        state=state_of(path.numbers, path.charge, path.multiplicity),
    )
    return Outcome(task.name, arrays, failures)


def displacement(
    modes: NormalModes,
    masses: np.ndarray,
    temperature: float,
    lowest_wavenumber: float,
    random: np.random.Generator,
) -> np.ndarray:
    """Draw a thermal displacement along normal modes.

    Parameters
    ----------
    modes
        k modes of a molecule of N atoms.
    masses
        (N,), amu.
    temperature
        K.
    lowest_wavenumber
        Softer modes move as if they had this wavenumber, cm-1.
    random
        Source of k normal deviates.

    Returns
    -------
    ndarray
        (N, 3), Angstrom.
    """
    lowest = (lowest_wavenumber / WAVENUMBER) ** 2
    amplitudes = np.sqrt(BOLTZMANN * temperature / np.maximum(np.abs(modes.force_constants), lowest))
    weighted = modes.vectors @ (amplitudes * random.standard_normal(len(amplitudes)))
    return weighted.reshape(-1, 3) / np.sqrt(masses)[:, None]


def reaction_generator(seed: int, name: str) -> np.random.Generator:
    """Random numbers of a reaction, the same whichever worker treats it and whenever."""
    return np.random.default_rng([seed, *hashlib.sha256(name.encode()).digest()])
