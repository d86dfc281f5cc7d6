import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hessbench.generate.irc import (
    IrcTask,
    PathError,
    choose_evenly,
    from_reactant_to_product,
    irc_reaction,
    path_coordinate,
)
from hessbench.generate.labels import to_reaction
from hessbench.generate.rtp import RtpTask, rtp_reaction
from tests.generate.conftest import LEVEL, hydrogen_cyanide, inversion


def irc_task(geometries, config):
    arrays = rtp_reaction(RtpTask(geometries, LEVEL, 0.01)).arrays
    x = arrays["coordinates"]
    return IrcTask(geometries.name, arrays["numbers"], x[1], arrays["hessians"][1], x[0], x[2], config)


@pytest.fixture(scope="module")
def ammonia_task(config):
    return irc_task(inversion(), config)


@pytest.fixture(scope="module")
def ammonia_path(ammonia_task):
    outcome = irc_reaction(ammonia_task)
    assert outcome.failures == []
    return to_reaction(outcome)


def check_path(path):
    s = path.annotations["path_coordinate"]
    assert (np.diff(s) > 0).all()
    top = int(np.flatnonzero(s == 0)[0])
    assert path.annotations["role"].tolist() == ["TS" if i == top else "IRC" for i in range(len(s))]
    assert (np.diff(path.energies[: top + 1]) > 0).all()
    assert (np.diff(path.energies[top:]) < 0).all()
    return s


def test_path_descends_to_both_sides_and_starts_at_the_reactant(ammonia_path, ammonia_task):
    s = check_path(ammonia_path)
    assert len(s) == 9
    heights = [
        np.dot(x[0] - x[1:].mean(axis=0), np.cross(x[2] - x[1], x[3] - x[1]))
        for x in (ammonia_path.coordinates[0], ammonia_path.coordinates[-1], ammonia_task.reactant)
    ]
    assert heights[0] * heights[2] > 0
    assert heights[1] * heights[2] < 0


def test_symmetric_reaction_has_a_symmetric_path(ammonia_path):
    s = check_path(ammonia_path)
    np.testing.assert_allclose(s, -s[::-1], atol=0.02)
    np.testing.assert_allclose(ammonia_path.energies, ammonia_path.energies[::-1], atol=0.3)


def test_exchanged_reactant_and_product_give_the_reversed_path(ammonia_task, ammonia_path):
    task = dataclasses.replace(ammonia_task, reactant=ammonia_task.product, product=ammonia_task.reactant)
    path = to_reaction(irc_reaction(task))
    np.testing.assert_allclose(path.coordinates, ammonia_path.coordinates[::-1], atol=1e-12)


def test_path_between_different_molecules(config):
    task = irc_task(hydrogen_cyanide(), config)
    path = to_reaction(irc_reaction(task))
    check_path(path)
    # HCN lies below HNC.
    assert path.energies[0] < path.energies[-1] - 5


def test_a_path_to_another_molecule_is_a_failure(config):
    task = irc_task(hydrogen_cyanide(), config)
    apart = task.product.copy()
    apart[np.flatnonzero(task.numbers == 1)] += 3.0
    outcome = irc_reaction(dataclasses.replace(task, product=apart))
    assert outcome.arrays == {}
    assert outcome.failures[0].reason == "one end has other bonds than reactant and product"


@pytest.mark.parametrize(
    ("ends", "reason"),
    [
        ([0, 0], "both ends have the bonds of one of reactant and product"),
        ([1, 2], "one end has other bonds than reactant and product"),
        ([2, 2], "both ends have other bonds than reactant and product"),
    ],
)
def test_bonds_at_the_ends_decide_whether_a_path_connects(ends, reason):
    # a hydrogen atom at the left, at the right and at none of two oxygen atoms
    numbers = np.array([8, 8, 1])
    left, right, apart = (np.array([[0, 0, 0], [4.0, 0, 0], [x, 0, 0]]) for x in (0.97, 3.03, 2.0))
    molecules = [left, right, apart]
    assert from_reactant_to_product(numbers, [left, right], [left, right])
    assert not from_reactant_to_product(numbers, [right, left], [left, right])
    with pytest.raises(PathError, match=reason):
        from_reactant_to_product(numbers, [molecules[i] for i in ends], [left, right])


def test_a_path_from_a_minimum_is_a_failure(ammonia_task):
    task = dataclasses.replace(ammonia_task, transition_state=ammonia_task.reactant)
    outcome = irc_reaction(task)
    assert outcome.arrays == {}
    assert "path ends at" in outcome.failures[0].reason


def test_path_coordinate_is_the_mass_weighted_length():
    path = np.zeros((3, 2, 3))
    path[1, 0, 0] = 1.0
    path[2, 0, 0] = 1.0
    path[2, 1, 1] = 2.0
    np.testing.assert_allclose(path_coordinate(path, np.array([4.0, 9.0]), 1), [-2.0, 0.0, 6.0])


@given(
    left=st.lists(st.floats(0.05, 0.2), min_size=1, max_size=60),
    right=st.lists(st.floats(0.05, 0.2), min_size=1, max_size=60),
    number=st.integers(3, 40),
)
def test_choice_is_even_and_holds_ends_and_the_top(left, right, number):
    s = np.concatenate([-np.cumsum(left)[::-1], [0.0], np.cumsum(right)])
    chosen = choose_evenly(s, number)
    assert (np.diff(chosen) > 0).all()
    assert len(chosen) <= number
    assert {0, len(left), len(s) - 1} <= set(chosen.tolist())
    if len(s) <= number:
        assert len(chosen) == len(s)
    else:
        assert len(chosen) >= 0.6 * number
