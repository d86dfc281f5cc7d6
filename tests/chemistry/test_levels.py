import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from tblite.interface import Calculator as TBLite

from hessbench.chemistry.level import LevelError, central_difference_hessian, forward_difference_hessian
from hessbench.chemistry.levels import LevelCalculator, make_level
from hessbench.errors import HessbenchError
from hessbench.units import BOHR, EV, HARTREE


@pytest.fixture(scope="module")
def water() -> Atoms:
    atoms = molecule("H2O")
    atoms.positions += np.random.default_rng(0).normal(0, 0.05, (3, 3))
    return atoms


@pytest.mark.parametrize("name", ["GFN2-xTB", "GFN1-xTB"])
def test_energy_is_that_of_tblite_and_the_gradient_its_derivative(water, name):
    level = make_level(name, water.numbers)
    energy, gradient = level.gradient(water.positions)
    direct = TBLite(name, water.numbers, water.positions / BOHR)
    direct.set("verbosity", 0)
    assert energy == pytest.approx(direct.singlepoint()["energy"] * HARTREE, abs=1e-4)
    step = 1e-3
    for index in range(9):
        displaced = [water.positions.copy() for _ in range(2)]
        displaced[0].flat[index] += step
        displaced[1].flat[index] -= step
        slope = (level.gradient(displaced[0])[0] - level.gradient(displaced[1])[0]) / (2 * step)
        assert gradient.flat[index] == pytest.approx(slope, abs=2e-2)


def test_result_depends_on_earlier_geometries_only_within_the_scf_threshold(water):
    fresh, used = (make_level("GFN2-xTB", water.numbers) for _ in range(2))
    used.gradient(water.positions + 0.1 * np.sin(np.arange(9)).reshape(3, 3))
    first, second = fresh.gradient(water.positions), used.gradient(water.positions)
    assert first[0] == pytest.approx(second[0], abs=1e-4)
    np.testing.assert_allclose(first[1], second[1], atol=1e-2)


def test_charge_and_multiplicity_count(water):
    energies = {
        make_level("GFN2-xTB", water.numbers, charge, multiplicity).gradient(water.positions)[0]
        for charge, multiplicity in ((0, 1), (1, 2), (0, 3))
    }
    assert len(energies) == 3


def test_difference_hessians_of_a_quartic_function():
    rng = np.random.default_rng(1)
    a = rng.normal(size=(6, 6))
    a = a + a.T
    x = rng.normal(size=(2, 3))

    def gradient(y):
        v = y.ravel()
        return 0.0, (a @ v + v**3).reshape(2, 3)

    exact = a + np.diag(3 * x.ravel() ** 2)
    step = 1e-3
    # The error of central differences is second order (here h^2), of forward ones first order (3 x h).
    np.testing.assert_allclose(central_difference_hessian(gradient, x, step), exact, atol=2e-6)
    forward = forward_difference_hessian(gradient, x, step)
    assert 1e-4 < np.abs(forward - exact).max() < 1e-2


def test_hessian_is_symmetric_and_the_derivative_along_any_direction(water):
    level = make_level("GFN2-xTB", water.numbers)
    hessian = level.hessian(water.positions)
    np.testing.assert_array_equal(hessian, hessian.T)
    direction = np.random.default_rng(3).normal(size=(3, 3))
    step = 2e-3
    difference = (
        level.gradient(water.positions + step * direction)[1]
        - level.gradient(water.positions - step * direction)[1]
    ) / (2 * step)
    np.testing.assert_allclose(hessian @ direction.ravel(), difference.ravel(), atol=1.0)


def test_ase_calculator_gives_ev(water):
    level = make_level("GFN2-xTB", water.numbers)
    energy, gradient = level.gradient(water.positions)
    atoms = water.copy()
    atoms.calc = LevelCalculator(make_level("GFN2-xTB", water.numbers))
    assert atoms.get_potential_energy() == pytest.approx(energy / EV)
    np.testing.assert_allclose(atoms.get_forces(), -gradient / EV, atol=1e-6)


def test_unknown_level_and_impossible_molecule_are_told():
    with pytest.raises(HessbenchError, match=r"'GFN3-xTB'; choose one of GFN2-xTB, GFN1-xTB"):
        make_level("GFN3-xTB", np.array([1, 1]))
    with pytest.raises(LevelError, match="GFN2-xTB"):
        make_level("GFN2-xTB", np.array([1, 1])).gradient(np.zeros((2, 3)))
