"""Harmonic frequencies along a reaction path (sections 2.6 and 3.7 of the paper).

Translations and rotations are projected out of every Hessian, the direction of the path is not: away from
stationary points the lowest frequency is the curvature along the path as the paper plots it, and depends on
the use of Cartesian coordinates. Beside that, errors are also given for the modes transverse to the path,
with its direction projected out (Miller, Handy, Adams, J. Chem. Phys. 72, 99 (1980)).

Model and reference are compared at the same geometries, those of the reference path.
"""

import time
from dataclasses import dataclass

import numpy as np
import pandas as pd
from ase import Atoms
from scipy.spatial.transform import Rotation

from hessbench.calculators.separate import SeparatePotential
from hessbench.chemistry.normal_modes import NormalModes, atomic_masses, normal_modes
from hessbench.potential.batch import Batch
from hessbench.potential.evaluation import hessians
from hessbench.potential.interface import Potential


@dataclass(frozen=True)
class PathGeometries:
    """Images along a reaction path.

    Attributes
    ----------
    reaction
        Its name.
    numbers
        (N,) atomic numbers.
    coordinates
        (n, N, 3), Angstrom.
    path_coordinate
        (n,), Angstrom, zero at the transition state.
    """

    reaction: str
    numbers: np.ndarray
    coordinates: np.ndarray
    path_coordinate: np.ndarray

    @property
    def batch(self) -> Batch:
        """All geometries as molecules of a batch."""
        return Batch.from_atoms(Atoms(self.numbers, image) for image in self.coordinates)

    @property
    def transition_state(self) -> int:
        """Image at the transition state."""
        return int(np.abs(self.path_coordinate).argmin())


@dataclass(frozen=True)
class PathHessians:
    """Hessians of one potential at all images, and the CPU time they took.

    Attributes
    ----------
    hessians
        n arrays (3N, 3N), kcal/mol/Angstrom^2.
    cpu_s
        CPU time for all of them, s: of this process, and of that of a user's potential.
    """

    hessians: list[np.ndarray]
    cpu_s: float


def measure_hessians(path: PathGeometries, potential: Potential) -> PathHessians:
    """Compute the Hessians of all images in one call and take its CPU time.

    One image is computed before, so that neither loading nor compiling of code is counted.
    """
    batch = path.batch
    hessians(potential, batch.slice(0, 1))
    begin = _cpu_time(potential)
    found = hessians(potential, batch)
    return PathHessians(found, _cpu_time(potential) - begin)


def _cpu_time(potential: Potential) -> float:
    return time.process_time() + (potential.cpu_s if isinstance(potential, SeparatePotential) else 0.0)


def path_modes(
    path: PathGeometries, hessians: list[np.ndarray], *, transverse: bool = False
) -> list[NormalModes]:
    """Vibrations at each image, 3N - 6 of them; without the direction of the path, one less."""
    masses = atomic_masses(path.numbers)
    directions = mass_weighted_tangents(path.coordinates, masses) if transverse else [None] * len(hessians)
    return [
        normal_modes(coordinates, masses, hessian, direction)
        for coordinates, hessian, direction in zip(path.coordinates, hessians, directions, strict=True)
    ]


def mass_weighted_tangents(coordinates: np.ndarray, masses: np.ndarray) -> list[np.ndarray]:
    """Directions of a path at its images by central differences of the superposed neighbours, n of (3N,)."""
    weights = np.sqrt(masses)[:, None]
    tangents = []
    for index, here in enumerate(coordinates):
        centre = np.average(here, axis=0, weights=masses)
        ends = []
        for neighbour in (max(index - 1, 0), min(index + 1, len(coordinates) - 1)):
            other = coordinates[neighbour]
            moved = other - np.average(other, axis=0, weights=masses)
            rotation, _ = Rotation.align_vectors(here - centre, moved, weights=masses)
            ends.append(rotation.apply(moved))
        difference = (weights * (ends[1] - ends[0])).ravel()
        tangents.append(difference / np.linalg.norm(difference))
    return tangents


def frequency_rows(
    path: PathGeometries, loss: str, seed: int, hessians: list[np.ndarray], reference: list[np.ndarray]
) -> pd.DataFrame:
    """Rows of the table spectra: modes of model and reference, both numbered by ascending frequency.

    So they are paired by what a spectrum shows, and with the smallest sum of squared differences there is.
    """
    frames = []
    pairs = zip(path_modes(path, hessians), path_modes(path, reference), strict=True)
    for image, (found, true) in enumerate(pairs):
        frames.append(
            pd.DataFrame(
                {
                    "reaction": path.reaction,
                    "loss": loss,
                    "seed": seed,
                    "image": image,
                    "path_coordinate": path.path_coordinate[image],
                    "mode": np.arange(len(found.wavenumbers)),
                    "frequency_cm1": found.wavenumbers,
                    "reference_frequency_cm1": true.wavenumbers,
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def summarize(
    path: PathGeometries, loss: str, seed: int, hessians: list[np.ndarray], reference: list[np.ndarray]
) -> dict:
    """Error of all frequencies and the softening of the reaction mode, a row of spectra_summary.

    Returns
    -------
    dict
        Root mean square and mean absolute error of sorted frequencies (cm-1), the former also without the
        direction of the path; frequency of the lowest mode at the transition state beside the reference's,
        their fall from the mean of both ends of the path, and where along the path the lowest mode is lowest
        (Angstrom).
    """
    rows = frequency_rows(path, loss, seed, hessians, reference)
    error = rows["frequency_cm1"] - rows["reference_frequency_cm1"]
    transverse = []
    pairs = zip(
        path_modes(path, hessians, transverse=True), path_modes(path, reference, transverse=True), strict=True
    )
    for found, true in pairs:
        transverse.append(found.wavenumbers - true.wavenumbers)
    lowest, lowest_reference = (
        np.array([modes.wavenumbers[0] for modes in path_modes(path, item)]) for item in (hessians, reference)
    )
    ts = path.transition_state
    return {
        "reaction": path.reaction,
        "loss": loss,
        "seed": seed,
        "rms_error_cm1": float(np.sqrt((error**2).mean())),
        "mean_absolute_error_cm1": float(error.abs().mean()),
        "rms_error_transverse_cm1": float(np.sqrt((np.concatenate(transverse) ** 2).mean())),
        "reaction_mode_ts_cm1": float(lowest[ts]),
        "reference_reaction_mode_ts_cm1": float(lowest_reference[ts]),
        "softening_cm1": float(lowest[[0, -1]].mean() - lowest[ts]),
        "reference_softening_cm1": float(lowest_reference[[0, -1]].mean() - lowest_reference[ts]),
        "softest_at": float(path.path_coordinate[lowest.argmin()]),
        "reference_softest_at": float(path.path_coordinate[lowest_reference.argmin()]),
    }
