import numpy as np
import pytest

from hessbench.errors import TrainingError
from hessbench.potential.atomic_energies import compositions, fit_atomic_energies

NUMBERS = np.array([8, 1, 1, 6, 1, 1, 1, 1, 6, 8, 1, 1], dtype=np.uint8)  # H2O, CH4, CH2O
COUNTS = np.array([3, 5, 4])


def test_compositions():
    expected = [[2, 0, 1], [4, 1, 0], [2, 1, 1]]
    np.testing.assert_array_equal(compositions(NUMBERS, COUNTS, [1, 6, 8]), expected)


def test_known_atomic_energies_are_recovered():
    energies = compositions(NUMBERS, COUNTS, [1, 6, 8]) @ [-376.5, -23878.123456, -47100.0]
    fitted = fit_atomic_energies(NUMBERS, COUNTS, energies, [1, 6, 8])
    np.testing.assert_allclose(fitted, [-376.5, -23878.123456, -47100.0], rtol=1e-12)


def test_absent_element_gets_zero_and_the_rest_is_unchanged():
    energies = compositions(NUMBERS, COUNTS, [1, 6, 8]) @ [-1.0, -2.0, -3.0]
    np.testing.assert_allclose(
        fit_atomic_energies(NUMBERS, COUNTS, energies, [1, 6, 7, 8]), [-1, -2, 0, -3], atol=1e-12
    )


def test_isomers_alone_leave_no_constant():
    # one composition, rank 1: only the sum is determined
    numbers = np.tile(NUMBERS[:3], 2)
    fitted = fit_atomic_energies(numbers, np.array([3, 3]), np.array([-10.0, -20.0]), [1, 8])
    assert fitted @ [2, 1] == pytest.approx(-15)
    np.testing.assert_allclose(fitted, [-6, -3])  # smallest norm: proportional to the composition


def test_unknown_element():
    with pytest.raises(TrainingError, match=r"atomic numbers \[8\]"):
        compositions(NUMBERS, COUNTS, [1, 6])
