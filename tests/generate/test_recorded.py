import numpy as np
import pytest

from hessbench.chemistry.level import LevelError
from hessbench.chemistry.levels import make_level
from hessbench.generate.recorded import Recorded
from hessbench.system.journal import Journal
from tests.generate.conftest import LEVEL, ammonia

NUMBERS = np.array([7, 1, 1, 1])


class Unavailable:
    """A level that can compute nothing."""

    name, numbers = LEVEL, NUMBERS

    def gradient(self, coordinates):
        raise LevelError("computed again")

    hessian = gradient


def test_what_is_in_the_journal_is_not_computed_again(tmp_path):
    geometry = ammonia(0.3)
    with Journal(tmp_path / "journal", {}) as journal:
        first = Recorded(make_level(LEVEL, NUMBERS), journal)
        energy, gradient = first.gradient(geometry)
        hessian = first.hessian(geometry)
    expected = make_level(LEVEL, NUMBERS).gradient(geometry)
    assert energy == expected[0]
    np.testing.assert_array_equal(gradient, expected[1])
    with Journal(tmp_path / "journal", {}) as journal:
        again = Recorded(Unavailable(), journal)
        assert again.gradient(geometry)[0] == energy
        np.testing.assert_array_equal(again.gradient(geometry.copy())[1], gradient)
        np.testing.assert_array_equal(again.hessian(geometry), hessian)
        with pytest.raises(LevelError):
            again.gradient(np.nextafter(geometry, 9))
        with pytest.raises(LevelError):
            again.hessian(ammonia(0.2))


def test_failures_are_not_recorded(tmp_path):
    with Journal(tmp_path / "journal", {}) as journal:
        with pytest.raises(LevelError):
            Recorded(Unavailable(), journal).gradient(ammonia(0.3))
        assert journal.names() == set()
