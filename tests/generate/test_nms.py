import numpy as np
import pytest
from scipy import stats

from hessbench.chemistry.levels import make_level
from hessbench.chemistry.normal_modes import WAVENUMBER, NormalModes, atomic_masses, translations_rotations
from hessbench.generate.irc import irc_reaction
from hessbench.generate.labels import to_reaction
from hessbench.generate.nms import (
    BOLTZMANN,
    NmsTask,
    displacement,
    nms_reaction,
    reaction_generator,
)
from tests.generate.conftest import LEVEL, inversion
from tests.generate.test_irc import irc_task


@pytest.fixture(scope="module")
def path(config):
    return to_reaction(irc_reaction(irc_task(inversion(), config)))


@pytest.fixture(scope="module")
def sampled(path, config):
    outcome = nms_reaction(NmsTask(path, config))
    assert outcome.failures == []
    return to_reaction(outcome)


def test_every_intermediate_structure_is_sampled_at_every_temperature(path, sampled):
    top = int(np.flatnonzero(path.annotations["path_coordinate"] == 0)[0])
    parents = [index for index in range(1, len(path) - 1) if index != top]
    assert sampled.annotations["parent"].tolist() == [index for index in parents for _ in range(2)]
    assert sampled.annotations["temperature"].tolist() == [300.0, 1000.0] * len(parents)
    np.testing.assert_array_equal(
        sampled.annotations["path_coordinate"],
        path.annotations["path_coordinate"][sampled.annotations["parent"]],
    )


def test_displacements_have_no_part_along_path_translations_or_rotations(path, sampled):
    weights = np.sqrt(atomic_masses(path.numbers))[:, None]
    for index, parent in enumerate(sampled.annotations["parent"]):
        moved = (weights * (sampled.coordinates[index] - path.coordinates[parent])).ravel()
        rigid = translations_rotations(path.coordinates[parent], weights[:, 0] ** 2)
        np.testing.assert_allclose(rigid.T @ moved, 0, atol=1e-10)
        tangent = (path.forces[parent] / weights).ravel()
        tangent -= rigid @ (rigid.T @ tangent)
        assert abs(tangent @ moved) < 1e-9 * np.linalg.norm(tangent)
        assert np.linalg.norm(moved) > 0.01


def test_labels_are_those_of_the_displaced_structures(sampled):
    level = make_level(LEVEL, sampled.numbers)
    energy, gradient = level.gradient(sampled.coordinates[3])
    assert sampled.energies[3] == pytest.approx(energy, abs=1e-3)
    np.testing.assert_allclose(sampled.forces[3], -gradient, atol=0.02)


def test_deterministic_for_the_seed_and_the_name(path, config, sampled):
    again = to_reaction(nms_reaction(NmsTask(path, config)))
    np.testing.assert_array_equal(again.coordinates, sampled.coordinates)
    np.testing.assert_array_equal(again.hessians, sampled.hessians)
    other = config.model_copy(update={"seed": config.seed + 1})
    assert not np.array_equal(
        to_reaction(nms_reaction(NmsTask(path, other))).coordinates, sampled.coordinates
    )
    assert reaction_generator(1, "a").random() != reaction_generator(1, "b").random()


def test_energies_above_the_cap_are_failures(path, config, sampled):
    rise = sampled.energies - path.energies[sampled.annotations["parent"]]
    cap = float(np.sort(rise)[-3:-1].mean())
    outcome = nms_reaction(NmsTask(path, config.model_copy(update={"nms_energy_cap": cap})))
    assert len(outcome.failures) == 2
    assert len(outcome.arrays["energies"]) == len(sampled) - 2
    assert outcome.failures[0].reason.endswith("kcal/mol above its parent")


def test_amplitudes_follow_the_boltzmann_distribution():
    masses = np.array([1.0, 4.0, 9.0])
    vectors = np.linalg.qr(np.random.default_rng(0).normal(size=(9, 3)))[0]
    soft, temperature, lowest = 1e-3, 500.0, 300.0
    modes = NormalModes(np.array([-20.0, soft, 40.0]), vectors)
    random = np.random.default_rng(1)
    draws = np.stack([displacement(modes, masses, temperature, lowest, random) for _ in range(4000)])
    amplitudes = (draws * np.sqrt(masses)[:, None]).reshape(-1, 9) @ vectors
    floor = (lowest / WAVENUMBER) ** 2
    for index, force_constant in enumerate((20.0, floor, 40.0)):
        scale = np.sqrt(BOLTZMANN * temperature / force_constant)
        assert stats.kstest(amplitudes[:, index] / scale, "norm").pvalue > 1e-3
    assert abs(np.corrcoef(amplitudes.T)[0, 1]) < 0.06
    # Equipartition: half k_B T a mode.
    energy = 0.5 * 40.0 * (amplitudes[:, 2] ** 2).mean()
    assert energy == pytest.approx(0.5 * 0.0019872 * temperature, rel=0.08)
