"""What cannot be right in a single reaction is seen in the embedded data, spoilt one reaction at a time."""

from dataclasses import replace

import numpy as np
import pytest

from hessbench.data.layout import Reaction, ReactionFile
from hessbench.embedded import EMBEDDED
from hessbench.formats.orientation import forces_against_hessians, net_torque
from hessbench.formats.plausibility import check_reaction
from hessbench.formats.plausibility import problem as first_failed


def problem(reaction: Reaction) -> str | None:
    return first_failed(check_reaction(reaction))


MIXED = 1.889726


def reactions(name: str, number: int) -> list[Reaction]:
    with ReactionFile(EMBEDDED / f"{name}.h5") as file:
        return [file[key] for key in file.names[:number]]


@pytest.mark.parametrize(("name", "number"), [("rtp", 400), ("irc", 110), ("nms", 110)])
def test_nothing_is_wrong_in_the_embedded_data(name, number):
    assert [problem(item) for item in reactions(name, number)] == [None] * number


@pytest.mark.parametrize(
    "spoil",
    [
        lambda item: replace(item, forces=-item.forces),
        lambda item: replace(item, forces=0 * item.forces),
        lambda item: replace(item, forces=item.forces / 23.06),
        lambda item: replace(item, forces=item.forces[:, ::-1]),
        lambda item: replace(item, forces=item.forces[::-1]),
    ],
    ids=["gradients", "zero", "eV", "atoms reversed", "structures reversed"],
)
def test_forces_that_are_not_those_of_the_hessians(spoil):
    for item in reactions("nms", 12):
        assert "contradict each other" in problem(spoil(item))


def test_forces_far_from_zero_at_stationary_points():
    found = [problem(replace(item, forces=627.5 * item.forces)) for item in reactions("rtp", 40)]
    assert sum(text is not None and "contradict" in text for text in found) >= 38


@pytest.mark.parametrize("factor", [MIXED**2, MIXED**-2])
def test_hessians_of_another_unit_in_one_reaction(factor):
    for item in reactions("rtp", 40):
        assert problem(replace(item, hessians=factor * item.hessians)) is not None


@pytest.mark.parametrize("factor", [MIXED, 1 / MIXED])
def test_coordinates_of_another_unit_in_one_reaction(factor):
    for item in reactions("irc", 30):
        found = problem(replace(item, coordinates=factor * item.coordinates, hessians=None))
        assert ("unit of the coordinates" if factor > 1 else "heavy atoms overlap") in found


def test_without_hessians_forces_in_another_orientation_have_a_torque():
    for item in reactions("nms", 110):
        assert net_torque(item.coordinates, item.forces).max() < 0.01
        turned = replace(item, forces=item.forces[..., [1, 2, 0]], hessians=None)
        assert "torque" in problem(turned)
        assert problem(replace(item, hessians=None)) is None


def test_both_sides_of_the_rotational_invariance_agree_in_the_embedded_data():
    for name in ("irc", "nms"):
        for item in reactions(name, 110):
            asked, stored, wrong = forces_against_hessians(item.coordinates, item.forces, item.hessians)
            assert not wrong.any()
            np.testing.assert_allclose(asked, stored, atol=0.4)
