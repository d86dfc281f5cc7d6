import math

import numpy as np
import pytest

from hessbench.chemistry.dispersion import dispersion
from hessbench.errors import HessbenchError

NUMBERS = np.array([6, 8, 7, 1, 1])
ANGSTROM, HARTREE = 1 / 0.52917721067, 627.5094740


@pytest.fixture(scope="module")
def coordinates() -> np.ndarray:
    return np.random.default_rng(3).normal(0, 1.7, (5, 3))


def reference(numbers, coordinates):
    """The sum over pairs in atomic units, as Chai and Head-Gordon write it."""
    # Grimme's Table 1, 1 J nm^6 / mol = 17.345 Eh bohr^6
    c6 = {1: 0.14, 6: 1.75, 7: 1.23, 8: 0.70}
    radius = {1: 1.001, 6: 1.452, 7: 1.397, 8: 1.342}
    unit = 1e-3 / 4.184 / HARTREE * (10 * ANGSTROM) ** 6
    assert unit == pytest.approx(17.345, rel=1e-4)
    energy = 0.0
    for i in range(len(numbers)):
        for j in range(i):
            r = math.dist(coordinates[i], coordinates[j]) * ANGSTROM
            r0 = (radius[numbers[i]] + radius[numbers[j]]) * ANGSTROM
            damping = 1 / (1 + 6 * (r / r0) ** -12)
            energy -= math.sqrt(c6[numbers[i]] * c6[numbers[j]]) * unit / r**6 * damping
    return energy * HARTREE


def test_energy_is_the_published_sum_over_pairs(coordinates):
    energy, _, _ = dispersion(NUMBERS, coordinates)
    assert energy < -0.1
    assert energy == pytest.approx(reference(NUMBERS, coordinates), rel=1e-7)


def test_distant_atoms_attract_each_other_undamped():
    energy, _, _ = dispersion(np.array([6, 6]), np.array([[0.0, 0, 0], [0, 0, 12.0]]))
    assert energy == pytest.approx(-1.75 * 1e6 / 4184 / 12**6, rel=1e-6)


def test_derivatives_are_those_of_energy_and_gradient(coordinates):
    _, gradient, hessian = dispersion(NUMBERS, coordinates)
    step = 1e-4
    slopes, rows = np.empty(15), np.empty((15, 15))
    for index in range(15):
        sides = [coordinates.copy(), coordinates.copy()]
        sides[0].flat[index] += step
        sides[1].flat[index] -= step
        (e1, g1, _), (e2, g2, _) = (dispersion(NUMBERS, side) for side in sides)
        slopes[index], rows[index] = (e1 - e2) / (2 * step), (g1 - g2).ravel() / (2 * step)
    np.testing.assert_allclose(gradient.ravel(), slopes, atol=1e-6 * np.abs(slopes).max())
    np.testing.assert_allclose(hessian, rows, atol=1e-6 * np.abs(rows).max())
    np.testing.assert_array_equal(hessian, hessian.T)


def test_moved_and_turned_molecule_has_the_same_dispersion(coordinates):
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    energy, gradient, hessian = dispersion(NUMBERS, coordinates)
    turned = dispersion(NUMBERS, coordinates @ rotation.T + 1.5)
    assert turned[0] == pytest.approx(energy)
    np.testing.assert_allclose(turned[1], gradient @ rotation.T, atol=1e-10)
    blocks = np.kron(np.eye(5), rotation)
    np.testing.assert_allclose(turned[2], blocks @ hessian @ blocks.T, atol=1e-9)
    np.testing.assert_allclose(gradient.sum(axis=0), 0, atol=1e-12)


def test_element_without_coefficients_is_told():
    with pytest.raises(HessbenchError, match="no coefficients for Fe, Xe; it has H, "):
        dispersion(np.array([26, 1, 54]), np.eye(3))
