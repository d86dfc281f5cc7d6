"""Transition state searches, held against a state known by symmetry."""

import numpy as np
import pytest
import torch
from ase.build import molecule

from hessbench.chemistry.level_potential import LevelPotential
from hessbench.chemistry.normal_modes import translations_rotations
from hessbench.errors import HessbenchError, PotentialError
from hessbench.experiments.ts_search.run.command import choose
from hessbench.experiments.ts_search.run.search import displaced, find_saddle
from hessbench.experiments.ts_search.run.settings import TsSearchConfig
from hessbench.potential.array_potential import ArrayPotential
from hessbench.reactions.geometries import ReactionGeometries

CONFIG = TsSearchConfig(reactions=1)
BOND = 0.997
"""N-H in planar ammonia at GFN2-xTB, Angstrom, within 0.01."""


def planar_ammonia() -> tuple[np.ndarray, np.ndarray]:
    """The transition state of the inversion: planar by symmetry."""
    angles = np.arange(3) * 2 * np.pi / 3
    hydrogens = BOND * np.stack([np.cos(angles), np.sin(angles), np.zeros(3)], axis=1)
    return np.array([7, 1, 1, 1]), np.concatenate([np.zeros((1, 3)), hydrogens])


def test_a_displacement_has_its_length_and_neither_moves_nor_turns() -> None:
    coordinates = molecule("CH3CH2OH").positions
    moved = displaced(coordinates, 0.1, "0 a")
    shift = moved - coordinates
    assert np.sqrt((shift**2).sum(axis=1).mean()) == pytest.approx(0.1)
    rigid = translations_rotations(coordinates, np.ones(len(coordinates)))
    assert np.abs(rigid.T @ shift.ravel()).max() < 1e-12
    assert np.array_equal(moved, displaced(coordinates, 0.1, "0 a"))
    assert not np.allclose(moved, displaced(coordinates, 0.1, "0 b"))


@pytest.mark.slow
@pytest.mark.parametrize("use", ["exact", "none"])
def test_the_inversion_of_ammonia_is_found(use) -> None:
    numbers, saddle = planar_ammonia()
    start = displaced(saddle, 0.1, "0 ammonia")
    row = find_saddle(numbers, start, saddle, LevelPotential("GFN2-xTB"), use, CONFIG)
    assert (row["status"], row["imaginary"], row["reason"]) == ("found", 1, "")
    assert row["rmsd"] < 0.02
    assert row["gradient_calls"] > row["steps"] > 0
    assert (row["hessian_calls"] > 0) == (use == "exact")


@pytest.mark.slow
def test_no_other_stationary_point_counts() -> None:
    numbers, saddle = planar_ammonia()
    far = CONFIG.model_copy(update={"same_a": 0.2, "steps": 100})
    elsewhere = saddle * 1.5  # as if the reference had longer bonds
    row = find_saddle(numbers, saddle, elsewhere, LevelPotential("GFN2-xTB"), "exact", far)
    assert (row["status"], row["imaginary"]) == ("elsewhere", 1)
    assert row["rmsd"] > 0.2


class Failing(ArrayPotential):
    def energies_and_forces(self, batch):
        raise PotentialError("no nitrogen here")


@pytest.mark.slow
def test_a_potential_that_fails_is_a_row_with_the_reason() -> None:
    numbers, saddle = planar_ammonia()
    row = find_saddle(numbers, saddle, saddle, Failing(), "none", CONFIG)
    assert (row["status"], row["reason"], row["imaginary"]) == ("failed", "no nitrogen here", None)


class Bowl(ArrayPotential):
    """Curvature +1 in every direction but for boron, which has a downhill one."""

    def energies_and_forces(self, batch):
        return np.zeros(len(batch)), np.zeros(batch.coordinates.shape)

    def hessians(self, batch):
        found = []
        for numbers, coordinates in zip(
            batch.numbers.split(batch.counts.tolist()),
            batch.coordinates.split(batch.counts.tolist()),
            strict=True,
        ):
            curvature = np.eye(coordinates.numel())
            if (numbers == 5).any():
                stretch = torch.zeros_like(coordinates)
                stretch[0], stretch[1] = 1.0, -1.0
                downhill = (stretch * (coordinates[0] - coordinates[1])).flatten().numpy()
                downhill /= np.linalg.norm(downhill)
                curvature -= 2 * np.outer(downhill, downhill)
            found.append(curvature)
        return found


def reaction(name: str, *numbers: int) -> ReactionGeometries:
    coordinates = np.array([[0.0, 0, 0], [1.2, 0, 0], [0, 1.1, 0.3]])
    return ReactionGeometries(name, np.array(numbers), {"TS": coordinates})


def test_only_saddle_points_are_searched_for() -> None:
    candidates = [reaction("rxn1", 5, 1, 1), reaction("rxn2", 6, 1, 1), reaction("rxn3", 5, 1, 8)]
    chosen = choose(candidates, Bowl(), CONFIG.model_copy(update={"reactions": 2}))
    assert {item.name for item in chosen} == {"rxn1", "rxn3"}
    with pytest.raises(HessbenchError, match="3 are wanted, but outside the training there are 2"):
        choose(candidates, Bowl(), CONFIG.model_copy(update={"reactions": 3}))
