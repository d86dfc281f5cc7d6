import sys

import numpy as np
import pyscf.dft
import pyscf.gto
import pytest
from ase.io import read

from hessbench.chemistry.dispersion import dispersion
from hessbench.chemistry.level import LevelError, central_difference_hessian
from hessbench.chemistry.levels import make_level
from hessbench.chemistry.normal_modes import atomic_masses, normal_modes
from hessbench.embedded import EMBEDDED
from hessbench.errors import HessbenchError
from hessbench.units import BOHR, EV, HARTREE

NAME = "wB97X-D/6-31G(d)"
WATER = np.array([8, 1, 1])
BENT = np.array([[0.02, -0.01, 0.0], [1.08, 0.05, -0.03], [-0.21, 0.93, 0.04]])
GRADIENT_UNIT = HARTREE / BOHR
GRID_ERROR = 3e-5 * GRADIENT_UNIT
"""Of a derivative of the energy without those of the integration grid, kcal/mol/Angstrom."""
GRID_ERROR_OF_HESSIAN = 0.7
"""Of a force constant, kcal/mol/Angstrom^2; with PySCF's grid of level 5 it is 0.2."""


@pytest.fixture(scope="module")
def water():
    return make_level("DF-" + NAME, WATER)


@pytest.mark.parametrize(
    ("name", "heavy", "multiplicity"), [("DF-" + NAME, 8, 1), (NAME, 7, 2)], ids=["water", "amino radical"]
)
def test_derivatives_are_those_of_energy_and_gradient(name, heavy, multiplicity):
    """Along one direction, which moves all atoms."""
    level = make_level(name, np.array([heavy, 1, 1]), multiplicity=multiplicity)
    _, gradient = level.gradient(BENT)
    hessian = level.hessian(BENT)
    np.testing.assert_array_equal(hessian, hessian.T)
    direction = np.random.default_rng(4).normal(size=(3, 3))
    step = 1e-3
    (above, forward), (below, backward) = (level.gradient(BENT + sign * step * direction) for sign in (1, -1))
    slope = (above - below) / (2 * step)
    assert abs(slope) > 10
    assert (gradient * direction).sum() == pytest.approx(slope, abs=GRID_ERROR * np.abs(direction).sum())
    change = (forward - backward).ravel() / (2 * step)
    assert np.abs(change).max() > 500
    np.testing.assert_allclose(
        hessian @ direction.ravel(), change, atol=GRID_ERROR_OF_HESSIAN * np.abs(direction).sum()
    )


def test_hessian_is_the_derivative_of_the_gradient_and_moves_with_the_molecule():
    level = make_level(NAME, np.array([1, 1]))
    bond = np.array([[0.0, 0.01, 0], [0.1, 0, 0.8]])
    hessian = level.hessian(bond)
    np.testing.assert_allclose(
        hessian, central_difference_hessian(level.gradient, bond), atol=GRID_ERROR_OF_HESSIAN
    )
    np.testing.assert_allclose(hessian[:, :3], -hessian[:, 3:], atol=1e-8)


def test_results_are_those_of_pyscf_and_the_dispersion():
    numbers = np.ones(4, dtype=int)
    pair = np.array([[0, 0, 0], [0, 0, 0.74], [2.4, 0, 0], [2.4, 0, 0.8]])
    atoms = [("H", position) for position in pair]
    molecule = pyscf.gto.M(atom=atoms, basis="6-31g*", unit="Angstrom", verbose=0)
    field = pyscf.dft.RKS(molecule, xc="HYB_GGA_XC_WB97X_D").run(conv_tol=1e-10)
    attraction, pull, stiffness = dispersion(numbers, pair)
    assert attraction < -0.1

    level = make_level(NAME, numbers)
    energy, gradient = level.gradient(pair)
    assert energy == pytest.approx(field.e_tot * HARTREE + attraction, abs=1e-4)
    electronic = field.nuc_grad_method().kernel() * GRADIENT_UNIT
    np.testing.assert_allclose(gradient, electronic + pull, atol=0.01)
    assert np.abs(pull).max() > 0.1
    # The blocks between the molecules; those of an atom with itself are mended.
    between = level.hessian(pair)[:6, 6:]
    blocks = field.Hessian().kernel()[:2, 2:].transpose(0, 2, 1, 3).reshape(6, 6) * GRADIENT_UNIT / BOHR
    np.testing.assert_allclose(between, blocks + stiffness[:6, 6:], atol=0.02)
    assert np.abs(stiffness[:6, 6:]).max() > 0.1


def test_density_fitting_changes_little(water):
    energy, gradient = water.gradient(BENT)
    exact = make_level(NAME, WATER).gradient(BENT)
    assert 0 < abs(energy - exact[0]) < 0.05
    np.testing.assert_allclose(gradient, exact[1], atol=0.05)


def test_result_does_not_depend_on_earlier_geometries(water):
    water.gradient(BENT + 0.1 * np.sin(np.arange(9)).reshape(3, 3))
    first, second = make_level("DF-" + NAME, WATER).gradient(BENT), water.gradient(BENT)
    assert first[0] == pytest.approx(second[0], abs=1e-5)
    np.testing.assert_allclose(first[1], second[1], atol=0.01)


def test_open_shells_are_unrestricted():
    """Hydrogen atoms far from each other in a triplet have twice the energy of one in a doublet."""
    pair = np.array([[0.0, 0, 0], [0, 0, 8.0]])
    one = make_level(NAME, np.array([1]), multiplicity=2).gradient(pair[:1])[0]
    two, gradient = make_level(NAME, np.array([1, 1]), multiplicity=3).gradient(pair)
    assert one == pytest.approx(-0.5 * HARTREE, abs=5)
    assert two == pytest.approx(2 * one, abs=0.02)
    np.testing.assert_allclose(gradient, 0, atol=0.05)


def test_impossible_multiplicity_and_unconverged_scf_are_told(monkeypatch):
    with pytest.raises(LevelError, match=r"10 electrons \(charge \+0\) cannot have multiplicity 2"):
        make_level(NAME, WATER, multiplicity=2)
    with pytest.raises(LevelError, match=r"2 electrons \(charge \+0\) cannot have multiplicity 5"):
        make_level(NAME, np.array([1, 1]), multiplicity=5)
    with pytest.raises(LevelError, match="no Hessian of a system without beta electrons"):
        make_level(NAME, np.array([1]), multiplicity=2).hessian(np.zeros((1, 3)))
    monkeypatch.setattr("hessbench.chemistry.dft.CYCLES", 2)
    with pytest.raises(LevelError, match="did not converge in 2 cycles"):
        make_level(NAME, WATER).gradient(BENT)


def test_missing_extra_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyscf", None)
    monkeypatch.setitem(sys.modules, "pyscf.dft", None)
    monkeypatch.delitem(sys.modules, "hessbench.chemistry.dft", raising=False)
    with pytest.raises(HessbenchError, match=r"needs pyscf.*: python -m pip install 'hessbench\[dft\]'"):
        make_level(NAME, WATER)


@pytest.fixture(scope="module")
def stationary():
    """The three geometries of the paper's supporting information C, optimised by other programs."""
    source = EMBEDDED / "single-ts-geometries.extxyz"
    return {frame.info["role"]: frame for frame in read(source, index=":")}


@pytest.mark.nightly
def test_published_geometries_are_stationary_and_the_barrier_is_109_9(stationary):
    energies = {}
    for role, atoms in stationary.items():
        energies[role], gradient = make_level("DF-" + NAME, atoms.numbers).gradient(atoms.positions)
        assert np.sqrt((gradient**2).mean()) < 2.1e-4 * GRADIENT_UNIT
        assert np.linalg.norm(gradient, axis=1).max() / EV < 0.02
    assert energies["TS"] - energies["R"] == pytest.approx(109.9, abs=0.3)


@pytest.mark.nightly
def test_published_transition_state_has_one_imaginary_mode(stationary):
    atoms = stationary["TS"]
    hessian = make_level("DF-" + NAME, atoms.numbers).hessian(atoms.positions)
    modes = normal_modes(atoms.positions, atomic_masses(atoms.numbers), hessian)
    assert modes.imaginary == 1
