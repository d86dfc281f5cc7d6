import numpy as np
import pytest

from hessbench.chemistry.levels import make_level
from hessbench.chemistry.normal_modes import atomic_masses, normal_modes
from hessbench.generate.labels import to_reaction
from hessbench.generate.refine import RefinementError
from hessbench.generate.rtp import RtpTask, find_labelled, rtp_reaction
from hessbench.units import EV
from tests.generate.conftest import LEVEL, ammonia, hydrogen_cyanide, inversion


@pytest.mark.parametrize("reaction", [inversion(seed=2), hydrogen_cyanide()], ids=["NH3", "HCN"])
def test_labels_of_stationary_points(reaction):
    outcome = rtp_reaction(RtpTask(reaction, LEVEL, 0.01))
    assert outcome.failures == []
    labelled = to_reaction(outcome)
    assert labelled.annotations["role"].tolist() == ["R", "TS", "P"]
    assert np.linalg.norm(labelled.forces, axis=-1).max() <= 0.0101 * EV
    for index, imaginary in enumerate((0, 1, 0)):
        level = make_level(LEVEL, labelled.numbers)
        energy, gradient = level.gradient(labelled.coordinates[index])
        assert labelled.energies[index] == pytest.approx(energy, abs=1e-3)
        np.testing.assert_allclose(labelled.forces[index], -gradient, atol=0.02)
        modes = normal_modes(
            labelled.coordinates[index], atomic_masses(labelled.numbers), labelled.hessians[index]
        )
        assert modes.imaginary == imaginary
    assert labelled.energies[1] == labelled.energies.max()


def test_a_saddle_given_for_a_minimum_is_left_downhill():
    planar = rtp_reaction(RtpTask(inversion(), LEVEL, 0.01)).arrays["coordinates"][1]
    level = make_level(LEVEL, np.array([7, 1, 1, 1]))
    found, (energy, _, hessian) = find_labelled(level, planar, "R", 0.01)
    assert normal_modes(found, atomic_masses(level.numbers), hessian).imaginary == 0
    assert energy < level.gradient(planar)[0] - 1


def test_a_minimum_given_for_a_transition_state_is_a_failure_or_leads_to_one():
    level = make_level(LEVEL, np.array([7, 1, 1, 1]))
    bottom, _ = find_labelled(level, ammonia(0.35), "R", 0.01)
    with pytest.raises(RefinementError, match="0 imaginary modes"):
        find_labelled(level, bottom, "TS", 0.01)


def test_missing_structures_are_failures():
    reaction = inversion()
    del reaction.coordinates["TS"]
    outcome = rtp_reaction(RtpTask(reaction, LEVEL, 0.01))
    assert outcome.arrays["role"].tolist() == ["R", "P"]
    assert [(f.structure, f.reason) for f in outcome.failures] == [("TS", "no starting geometry")]
