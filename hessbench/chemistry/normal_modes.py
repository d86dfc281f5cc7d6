"""Harmonic vibrations from a Hessian: mass-weighting, projection of translations and rotations, normal modes.

E. B. Wilson, J. C. Decius, P. C. Cross, Molecular Vibrations (1955); the projection is the one described by
Miller, Handy and Adams, J. Chem. Phys. 72, 99 (1980), which can also remove the direction of a reaction path.
"""

from dataclasses import dataclass

import numpy as np
from ase import units as _ase
from ase.data import atomic_masses_common

from hessbench.units import EV

WAVENUMBER = _ase._hbar * 1e10 / np.sqrt(_ase._e * _ase._amu) / _ase.invcm / np.sqrt(EV)
"""Wavenumber in cm-1 of a mode with the force constant 1 kcal/mol/Angstrom^2/amu."""

LINEAR = 1e-3
"""A molecule is linear when the smallest rotation vector is this much shorter than the largest one."""


@dataclass(frozen=True)
class NormalModes:
    """Vibrations of one molecule.

    Attributes
    ----------
    force_constants
        (k,) eigenvalues of the projected mass-weighted Hessian, kcal/mol/Angstrom^2/amu, ascending.
    vectors
        (3N, k) orthonormal mass-weighted eigenvectors, in columns.
    """

    force_constants: np.ndarray
    vectors: np.ndarray

    @property
    def wavenumbers(self) -> np.ndarray:
        """(k,) wavenumbers in cm-1; imaginary ones are negative."""
        return np.sign(self.force_constants) * np.sqrt(np.abs(self.force_constants)) * WAVENUMBER

    @property
    def imaginary(self) -> int:
        """Number of modes with a negative force constant."""
        return int(np.count_nonzero(self.force_constants < 0))


def atomic_masses(numbers: np.ndarray) -> np.ndarray:
    """Masses in amu of the most common isotopes, as quantum chemistry programs use them, (N,)."""
    return atomic_masses_common[np.asarray(numbers, dtype=int)]


def translations_rotations(coordinates: np.ndarray, masses: np.ndarray) -> np.ndarray:
    """Orthonormal mass-weighted basis of rigid motions.

    Parameters
    ----------
    coordinates
        (N, 3), Angstrom.
    masses
        (N,), amu.

    Returns
    -------
    ndarray
        (3N, 6), or (3N, 5) for a linear molecule and (3, 3) for an atom.
    """
    weights = np.sqrt(masses)
    centred = coordinates - np.average(coordinates, axis=0, weights=masses)
    translations = np.einsum("i,ab->iab", weights, np.eye(3)).reshape(-1, 3)
    around = np.cross(np.eye(3)[:, None], centred)  # each axis times each position, (3, N, 3)
    rotations = (weights[:, None] * around).transpose(1, 2, 0).reshape(-1, 3)  # (3N, 3)
    left, singular, _ = np.linalg.svd(rotations, full_matrices=False)
    rotations = left[:, singular > LINEAR * max(singular[0], LINEAR)]
    return np.hstack([translations / np.sqrt(masses.sum()), rotations])


def vibrational_basis(
    coordinates: np.ndarray, masses: np.ndarray, path_direction: np.ndarray | None = None
) -> np.ndarray:
    """Orthonormal mass-weighted basis of the space without rigid motions.

    Parameters
    ----------
    coordinates
        (N, 3), Angstrom.
    masses
        (N,), amu.
    path_direction
        (3N,) mass-weighted direction to project out as well, if any.

    Returns
    -------
    ndarray
        (3N, k): k is 3N - 6 (3N - 5 if linear), one less with a path direction.
    """
    removed = translations_rotations(coordinates, masses)
    if path_direction is not None:
        internal = path_direction - removed @ (removed.T @ path_direction)
        removed = np.hstack([removed, (internal / np.linalg.norm(internal))[:, None]])
    # The last columns of a complete QR are an orthonormal basis of what is orthogonal to `removed`.
    return np.linalg.qr(removed, mode="complete")[0][:, removed.shape[1] :]


def modes_within(basis: np.ndarray, masses: np.ndarray, hessian: np.ndarray) -> NormalModes:
    """Diagonalise the mass-weighted Hessian in the space of a basis; one serves all Hessians of a structure.

    Parameters
    ----------
    basis
        (3N, k), orthonormal: the `vibrational_basis` of the structure.
    masses
        (N,), amu.
    hessian
        (3N, 3N), kcal/mol/Angstrom^2.
    """
    weights = np.repeat(np.sqrt(masses), 3)
    weighted = hessian / np.outer(weights, weights)
    force_constants, vectors = np.linalg.eigh(basis.T @ (weighted + weighted.T) @ basis / 2)
    return NormalModes(force_constants, basis @ vectors)


def normal_modes(
    coordinates: np.ndarray, masses: np.ndarray, hessian: np.ndarray, path_direction: np.ndarray | None = None
) -> NormalModes:
    """Diagonalise the mass-weighted Hessian in the space without rigid motions.

    Parameters
    ----------
    coordinates, masses, path_direction
        As for `vibrational_basis`.
    hessian
        (3N, 3N), kcal/mol/Angstrom^2.

    Returns
    -------
    NormalModes
        3N - 6 modes (3N - 5 if linear), one less with a path direction.
    """
    return modes_within(vibrational_basis(coordinates, masses, path_direction), masses, hessian)
