import numpy as np
import pytest
from scipy.integrate import solve_ivp

from hessbench.chemistry.levels import make_level
from hessbench.chemistry.normal_modes import atomic_masses
from hessbench.embedded import EMBEDDED
from hessbench.generate.irc import follow, path_coordinate
from hessbench.generate.quadratic_path import follow_quadratic, quadratic_descent, updated
from hessbench.generate.refine import find_transition_state
from hessbench.generate.rtp import RtpTask, rtp_reaction
from hessbench.generate.settings import GenerateConfig
from hessbench.generate.single_ts import STEPS, read_roles
from tests.generate.conftest import LEVEL, hydrogen_cyanide, inversion


def random_quadratic(seed: int, positive: bool):
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    values = rng.uniform(0.2, 30, 6)
    if not positive:
        values[:3] = [-8.0, 0.0, 1e-10]
    return rng.normal(size=6), (basis * values) @ basis.T


@pytest.mark.parametrize("positive", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_descent_is_the_solution_of_its_differential_equation(seed, positive):
    gradient, hessian = random_quadratic(seed, positive)
    length = 0.05

    def direction(_, x):
        slope = gradient + hessian @ x
        return -slope / np.linalg.norm(slope)

    solution = solve_ivp(direction, (0, length), np.zeros(6), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(quadratic_descent(gradient, hessian, length), solution.y[:, -1], atol=2e-6)


def test_descent_longer_than_the_way_ends_at_the_minimum():
    gradient, hessian = random_quadratic(7, True)
    minimum = -np.linalg.solve(hessian, gradient)
    reached = quadratic_descent(gradient, hessian, 100.0)
    assert np.linalg.norm(reached - minimum) < 0.01 * np.linalg.norm(minimum)


def test_updated_hessian_gives_the_change_of_the_gradient_and_stays_right_where_it_was():
    rng = np.random.default_rng(1)
    _, hessian = random_quadratic(2, False)
    step, change = rng.normal(size=(2, 6))
    new = updated(hessian, step, change)
    np.testing.assert_allclose(new, new.T, atol=1e-12)
    np.testing.assert_allclose(new @ step, change, atol=1e-12)
    np.testing.assert_allclose(updated(hessian, step, hessian @ step + 1e-9), hessian, atol=1e-7)


def transition_state(geometries):
    arrays = rtp_reaction(RtpTask(geometries, LEVEL, 0.01)).arrays
    return arrays["numbers"], arrays["coordinates"][1], arrays["hessians"][1]


def both_sides(numbers, start, hessian, steps):
    sides = []
    for direction in (1, -1):
        level = make_level(LEVEL, numbers)
        sides.append(list(follow_quadratic(level, start, hessian, direction, steps, 0.05)))
        energies = [level.gradient(start)[0], *(energy for _, energy, _ in sides[-1])]
        assert (np.diff(energies) < 0).all()
        for point, energy, gradient in sides[-1][::5]:
            expected = make_level(LEVEL, numbers).gradient(point)
            assert energy == pytest.approx(expected[0], abs=1e-4)
            np.testing.assert_allclose(gradient, expected[1], atol=0.05)
    return sides


def test_symmetric_reaction_has_a_symmetric_path():
    numbers, start, hessian = transition_state(inversion())
    first, second = both_sides(numbers, start, hessian, [0.05] * 40)
    assert 5 < len(first) == len(second) < 40
    for (_, here, _), (_, there, _) in zip(first, second, strict=True):
        assert here == pytest.approx(there, abs=0.1)
    path = np.stack([start, *(point for point, _, _ in first)])
    lengths = np.diff(path_coordinate(path, atomic_masses(numbers), 0))
    # The last step may be shorter: it ends at the minimum.
    assert (lengths <= 0.05 + 1e-6).all()
    np.testing.assert_allclose(lengths[:-2], 0.05, rtol=0.01)


def test_path_that_turns_is_that_of_much_shorter_steps():
    """The single-TS reaction leaves its TS along one bond and then turns to another."""
    numbers, places, _ = read_roles(EMBEDDED / "single-ts-geometries.extxyz")
    level = make_level(LEVEL, numbers)
    start = find_transition_state(level, places["TS"], 0.002)
    hessian = level.hessian(start)
    for direction in (1, -1):
        points = list(follow_quadratic(level, start, hessian, direction, STEPS, 0.05))
        fine = list(follow_quadratic(level, start, hessian, direction, [0.01] * 250, 0.05))
        energies = np.array([energy for _, energy, _ in points])
        reference = np.array([energy for _, energy, _ in fine])
        lengths = np.cumsum(STEPS)[: len(energies)]
        np.testing.assert_allclose(
            energies, np.interp(lengths, 0.01 * np.arange(1, len(fine) + 1), reference), atol=0.25
        )


def test_path_is_that_of_constrained_steps():
    """Those of Sella, which iterate until the point is on the path."""
    numbers, start, hessian = transition_state(hydrogen_cyanide())
    weights = np.sqrt(atomic_masses(numbers))[:, None]
    config = GenerateConfig(irc_step=0.02, irc_steps=60)
    references = [
        np.stack(follow(make_level(LEVEL, numbers), start, hessian, side, config)) * weights
        for side in ("forward", "reverse")
    ]
    followed = []
    for direction in (1, -1):
        level = make_level(LEVEL, numbers)
        points = [
            point * weights
            for point, _, _ in follow_quadratic(level, start, hessian, direction, [0.1] * 9, 0.05)
        ]
        assert len(points) == 9
        distances = [
            max(np.sqrt(((reference - point) ** 2).sum(axis=(1, 2))).min() for point in points)
            for reference in references
        ]
        followed.append(int(np.argmin(distances)))
        assert min(distances) < 0.05
    assert sorted(followed) == [0, 1]
