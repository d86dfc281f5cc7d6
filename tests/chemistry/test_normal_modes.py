import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from ase.units import invcm
from ase.vibrations import VibrationsData

from hessbench.chemistry.normal_modes import (
    WAVENUMBER,
    atomic_masses,
    normal_modes,
    translations_rotations,
)
from hessbench.units import EV


def random_hessian(atoms: Atoms, seed: int = 0) -> np.ndarray:
    h = np.random.default_rng(seed).normal(0, 300, (3 * len(atoms), 3 * len(atoms)))
    return h + h.T


def pair_potential_hessian(coordinates: np.ndarray, curvature: float = 500.0) -> np.ndarray:
    """Springs of their natural length between all atoms: invariant under rigid motions."""
    atoms = len(coordinates)
    hessian = np.zeros((atoms, 3, atoms, 3))
    for i in range(atoms):
        for j in range(atoms):
            if i != j:
                u = coordinates[i] - coordinates[j]
                u /= np.linalg.norm(u)
                hessian[i, :, i] += curvature * np.outer(u, u)
                hessian[i, :, j] -= curvature * np.outer(u, u)
    return hessian.reshape(3 * atoms, 3 * atoms)


@pytest.mark.parametrize(
    ("name", "rigid"), [("H2O", 6), ("CO2", 5), ("C2H2", 5), ("CH3CHO", 6), ("CO", 5), ("C", 3)]
)
def test_rigid_motions_are_orthonormal_and_have_the_right_number(name, rigid):
    atoms = molecule(name)
    basis = translations_rotations(atoms.positions, atomic_masses(atoms.numbers))
    assert basis.shape == (3 * len(atoms), rigid)
    np.testing.assert_allclose(basis.T @ basis, np.eye(rigid), atol=1e-12)


def test_diatomic_frequency_is_the_closed_form():
    atoms = Atoms("CO", [[0.3, 0, 0], [0.3, 0, 1.13]])
    masses = atomic_masses(atoms.numbers)
    hessian = pair_potential_hessian(atoms.positions, 2700.0)
    modes = normal_modes(atoms.positions, masses, hessian)
    reduced = masses.prod() / masses.sum()
    np.testing.assert_allclose(modes.wavenumbers, [WAVENUMBER * np.sqrt(2700.0 / reduced)])
    # 1 mdyn/Angstrom = 143.94 kcal/mol/Angstrom^2 is 1302.79 cm-1 for 1 amu (textbook).
    assert WAVENUMBER * np.sqrt(143.9326) == pytest.approx(1302.79, rel=1e-4)


def test_frequencies_of_an_invariant_potential_agree_with_ase():
    atoms = molecule("CH3CHO")
    masses = atomic_masses(atoms.numbers)
    atoms.set_masses(masses)
    hessian = pair_potential_hessian(atoms.positions)
    modes = normal_modes(atoms.positions, masses, hessian)
    ase = VibrationsData.from_2d(atoms, hessian / EV).get_energies().real / invcm
    np.testing.assert_allclose(modes.wavenumbers, np.sort(ase)[6:], rtol=1e-6)
    assert modes.imaginary == 0


def test_modes_are_orthonormal_and_have_no_rigid_motion():
    atoms = molecule("CH3OH")
    masses = atomic_masses(atoms.numbers)
    modes = normal_modes(atoms.positions, masses, random_hessian(atoms))
    assert modes.vectors.shape == (18, 12)
    np.testing.assert_allclose(modes.vectors.T @ modes.vectors, np.eye(12), atol=1e-12)
    rigid = translations_rotations(atoms.positions, masses)
    np.testing.assert_allclose(rigid.T @ modes.vectors, 0, atol=1e-12)
    assert modes.imaginary == np.count_nonzero(modes.wavenumbers < 0)
    assert 0 < modes.imaginary < 12


def test_frequencies_are_invariant_under_rotation_and_translation():
    atoms = molecule("CH3OH")
    masses = atomic_masses(atoms.numbers)
    hessian = random_hessian(atoms)
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    big = np.kron(np.eye(len(atoms)), turn)
    first = normal_modes(atoms.positions, masses, hessian)
    second = normal_modes(atoms.positions @ turn.T + [3, -2, 5], masses, big @ hessian @ big.T)
    np.testing.assert_allclose(first.wavenumbers, second.wavenumbers, rtol=1e-8)


def test_the_path_direction_is_projected_out():
    atoms = molecule("CH3OH")
    masses = atomic_masses(atoms.numbers)
    full = normal_modes(atoms.positions, masses, random_hessian(atoms))
    along = full.vectors[:, 0]
    # A rigid motion mixed into the direction makes no difference.
    mixed = along + 0.7 * translations_rotations(atoms.positions, masses)[:, 4]
    rest = normal_modes(atoms.positions, masses, random_hessian(atoms), 3.0 * mixed)
    np.testing.assert_allclose(rest.force_constants, full.force_constants[1:], rtol=1e-9)
    np.testing.assert_allclose(along @ rest.vectors, 0, atol=1e-12)
