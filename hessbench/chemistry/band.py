"""Nudged elastic band of one reaction with any potential: all images in one call of it per iteration.

Images, springs, tangents and the climbing image are those of ASE's NEB, the optimizer its L-BFGS
(section 2.5 of the paper).
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from ase import Atoms
from ase.build import minimize_rotation_and_translation
from ase.data import chemical_symbols
from ase.mep import NEB, idpp_interpolate
from ase.optimize import LBFGS

from hessbench.chemistry.bonds import relative_distances
from hessbench.chemistry.evaluated import hold
from hessbench.chemistry.settings import BandConfig
from hessbench.errors import PotentialError
from hessbench.potential.batch import Batch
from hessbench.potential.evaluation import energies_and_forces
from hessbench.potential.interface import Potential
from hessbench.units import EV

Status = Literal["converged", "not converged", "end point failed", "exploded"]

MOLECULAR_CURVATURE = 50.0
"""L-BFGS starts from this curvature plus four times the springs' force constant, eV/Angstrom^2, the largest
curvature of a chain of springs; from ASE's 70 alone, bands with stiff springs fall apart at once."""
WEAKER, SHORTER = 5.0, 2.0
"""Springs and longest step of a band that begins anew are weaker and shorter by these factors."""
CLOSEST, FARTHEST = 0.5, 2.5
"""Unphysical: two atoms nearer than the first, or one without a neighbour within the second, times the sum of
their covalent radii."""

SLACK = 0.95
"""Distances worse than those of the starting path by no more than this factor are as good as there."""


class SafeguardedLBFGS(LBFGS):
    """ASE's L-BFGS that begins anew where a step met negative curvature.

    Its approximation of the inverse Hessian is positive definite only while the forces fall along each step
    (the curvature condition: Nocedal & Wright, Numerical Optimization, 2nd ed., section 6.1). Otherwise steps
    lead up, and bands fall apart after they had almost converged. The forces of a band are the gradient of
    nothing, so no line search can see to it.
    """

    def update(self, pos: np.ndarray, forces: np.ndarray, r0: np.ndarray, f0: np.ndarray) -> None:
        """Learn from the last step, or forget all steps."""
        if self.state.iteration > 0 and (pos - r0) @ (f0 - forces) <= 0:
            self.state.s, self.state.y, self.state.rho = [], [], []
            self.state.iteration = 0
        else:
            super().update(pos, forces, r0, f0)


class BatchedNEB(NEB):
    """ASE's NEB whose moving images are evaluated together, and once for each set of positions.

    Parameters
    ----------
    images
        All images; the end points carry a calculator that holds their energies.
    potential
        Evaluates the moving images.
    spring
        Force constant, eV/Angstrom^2.
    """

    def __init__(self, images: list[Atoms], potential: Potential, spring: float) -> None:
        super().__init__(images, k=spring, method="improvedtangent")
        self._potential = potential
        self._forces: np.ndarray | None = None

    def set_positions(self, positions: np.ndarray) -> None:  # type: ignore[override]
        """Move the images."""
        super().set_positions(positions)
        self._forces = None

    def start_climbing(self) -> None:
        """Let the highest image climb from now on."""
        self.climb = True
        self._forces = None

    def get_forces(self) -> np.ndarray:
        """Forces of the band on the atoms of the moving images, one after another, eV/Angstrom."""
        if self._forces is None:
            evaluate_images(self.images[1:-1], self._potential)
            self._forces = super().get_forces()
        return self._forces.copy()

    def largest_forces(self) -> tuple[float, float]:
        """Largest force of the band on an atom of the highest image, and of the others, eV/Angstrom."""
        largest = np.linalg.norm(self.get_forces(), axis=1).reshape(-1, self.natoms).max(axis=1)
        return float(largest[self.imax - 1]), float(np.delete(largest, self.imax - 1).max())


def evaluate_images(images: Sequence[Atoms], potential: Potential) -> None:
    """Attach energies and forces to images, computed in one call.

    Raises
    ------
    PotentialError
        Some are not finite, or the potential fails.
    """
    energies, forces = energies_and_forces(potential, Batch.from_atoms(images))
    if not (np.isfinite(energies).all() and np.isfinite(forces).all()):
        raise PotentialError("energies or forces are not finite")
    for image, energy, image_forces in zip(
        images, energies / EV, np.split(forces / EV, len(images)), strict=True
    ):
        hold(image, energy, image_forces)


@dataclass(frozen=True)
class Band:
    """Result of a band optimization.

    Attributes
    ----------
    status, reason
        How it ended, and why if it did not converge.
    iterations
        Steps of the optimizer.
    max_force
        Largest force of the band on an atom at the end, eV/Angstrom; None if it could not be computed.
    coordinates
        (n, N, 3), Angstrom, end points included: the last path that could be evaluated.
    energies
        (n,), kcal/mol, relative to the reactant; None if no path could be evaluated.
    """

    status: Status
    reason: str
    iterations: int
    max_force: float | None
    coordinates: np.ndarray
    energies: np.ndarray | None

    @property
    def highest(self) -> int:
        """Image of highest energy."""
        return 0 if self.energies is None else int(self.energies.argmax())

    @property
    def path_coordinate(self) -> np.ndarray:
        """Length along the path, Angstrom, zero at the highest image: (n,)."""
        steps = np.linalg.norm(np.diff(self.coordinates, axis=0), axis=(1, 2))
        length = np.concatenate([[0.0], np.cumsum(steps)])
        return length - length[self.highest]


def optimize_band(
    numbers: np.ndarray,
    reactant: np.ndarray,
    product: np.ndarray,
    potential: Potential,
    config: BandConfig,
    through: np.ndarray | None = None,
) -> Band:
    """Relax a band between two minima; one that fails begins anew, with weaker springs and shorter steps.

    It starts from the IDPP interpolation (Smidstrup et al., J. Chem. Phys. 140, 214106 (2014)) between the
    superposed end points, or between each of them and a structure on the way. The highest image climbs once
    the forces have fallen below `config.climb_below_ev_a`, or half of the iterations are spent.

    Parameters
    ----------
    numbers
        (N,) atomic numbers.
    reactant, product
        (N, 3), Angstrom, minima of the potential.
    potential
        Gives energies and forces.
    config
        Settings.
    through
        (N, 3), Angstrom, structure to start through, if any.

    Returns
    -------
    Band
        Of the first attempt that converged; if none did, of the first, and its reason.
    """
    images = interpolate(numbers, reactant, product, config.images, through)
    start = np.array([image.positions for image in images])
    first = band = _relax(numbers, start, potential, config)
    for _ in range(config.restarts):
        if band.status == "converged":
            return band
        config = config.model_copy(
            update={
                "spring_ev_a2": config.spring_ev_a2 / WEAKER,
                "max_step_a": config.max_step_a / SHORTER,
            }
        )
        band = _relax(numbers, start, potential, config)
    return band if band.status == "converged" else first


def _relax(numbers: np.ndarray, start: np.ndarray, potential: Potential, config: BandConfig) -> Band:
    """Relax a band from a path (n, N, 3) with one setting of springs and steps."""
    images = [Atoms(numbers, positions) for positions in start]
    last: tuple[np.ndarray, np.ndarray | None] = start, None
    iterations = 0
    try:
        evaluate_images([images[0], images[-1]], potential)
        neb = BatchedNEB(images, potential, config.spring_ev_a2)
        for climb in (False, True):
            if climb:
                neb.start_climbing()
            optimizer = SafeguardedLBFGS(
                neb,  # type: ignore[arg-type]
                logfile=os.devnull,
                maxstep=config.max_step_a,
                alpha=4 * config.spring_ev_a2 + MOLECULAR_CURVATURE,
            )
            steps = config.max_iterations // 2 if not climb else config.max_iterations - iterations
            before = iterations
            for _ in optimizer.irun(fmax=0.0, steps=steps):
                iterations = before + optimizer.nsteps
                last = _path(images)
                problem = unphysical(numbers, last[0], start)
                highest, others = neb.largest_forces()
                if problem:
                    reason = f"iteration {iterations}: {problem}"
                    return Band("exploded", reason, iterations, max(highest, others), *last)
                if not climb and max(highest, others) < config.climb_below_ev_a:
                    break
                if climb and highest < config.climbing_fmax_ev_a and others < config.band_fmax_ev_a:
                    return Band("converged", "", iterations, max(highest, others), *last)
    except PotentialError as error:
        return Band("exploded", f"iteration {iterations}: {error}", iterations, None, *last)
    reason = (
        f"after {iterations} iterations the largest force is {highest:.3g} eV/Angstrom on the climbing image "
        f"and {others:.3g} on the others"
    )
    return Band("not converged", reason, iterations, max(highest, others), *last)


def _path(images: list[Atoms]) -> tuple[np.ndarray, np.ndarray]:
    energies = np.array([image.get_potential_energy() for image in images]) * EV
    return np.array([image.positions for image in images]), energies - energies[0]


def interpolate(
    numbers: np.ndarray,
    reactant: np.ndarray,
    product: np.ndarray,
    moving: int,
    through: np.ndarray | None = None,
) -> list[Atoms]:
    """Images between superposed end points by image dependent pair potentials.

    A structure to go through becomes the image that divides the path in proportion to its distances.
    """
    if through is not None:
        middle = Atoms(numbers, through)
        ends = [Atoms(numbers, end) for end in (reactant, product)]
        for end in ends:
            minimize_rotation_and_translation(middle, end)
        distances = [float(np.linalg.norm(end.positions - through)) for end in ends]
        before = int(np.clip(round((moving + 1) * distances[0] / sum(distances)) - 1, 0, moving - 1))
        halves = [
            interpolate(numbers, ends[0].positions, through, before),
            interpolate(numbers, through, ends[1].positions, moving - 1 - before),
        ]
        return _aligned(halves[0] + halves[1][1:])
    first, last = Atoms(numbers, reactant), Atoms(numbers, product)
    minimize_rotation_and_translation(first, last)
    images = [first, *(first.copy() for _ in range(moving)), last]
    if not moving:  # before or after a structure that is next to an end point
        return images
    neb = NEB(images, method="improvedtangent")
    neb.interpolate()
    idpp_interpolate(neb, traj=None, log=None)
    return images


def _aligned(images: list[Atoms]) -> list[Atoms]:
    """Superpose each image on the one before."""
    for before, after in pairwise(images):
        minimize_rotation_and_translation(before, after)
    return images


def unphysical(numbers: np.ndarray, coordinates: np.ndarray, start: np.ndarray | None = None) -> str:
    """Name the worst atoms of a path that fell together or apart; empty if there are none.

    Parameters
    ----------
    numbers
        (N,) atomic numbers.
    coordinates
        (n, N, 3), Angstrom.
    start
        (n, N, 3), the path from which it comes, if any: an interpolation knows no chemistry, so distances
        that are no worse than there are no fault of the potential.
    """
    ratio = relative_distances(numbers, coordinates)
    lower, upper = CLOSEST, FARTHEST
    if start is not None:
        of_start = relative_distances(numbers, start)
        lower = min(lower, SLACK * of_start.min())
        upper = max(upper, of_start.min(axis=2).max() / SLACK)
    closest = np.unravel_index(ratio.argmin(), ratio.shape)
    if ratio[closest] < lower:
        return _pair("atoms fell together:", numbers, coordinates, closest)
    nearest = ratio.min(axis=2)
    loneliest = np.unravel_index(nearest.argmax(), nearest.shape)
    if nearest[loneliest] > upper:
        return _pair("atom left:", numbers, coordinates, (*loneliest, ratio[loneliest].argmin()))
    return ""


def _pair(what: str, numbers: np.ndarray, coordinates: np.ndarray, index: tuple) -> str:
    image, i, j = (int(k) for k in index)
    names = f"{chemical_symbols[numbers[i]]}{i + 1}-{chemical_symbols[numbers[j]]}{j + 1}"
    distance = np.linalg.norm(coordinates[image, i] - coordinates[image, j])
    return f"{what} {names} {distance:.2f} Angstrom in image {image}"
