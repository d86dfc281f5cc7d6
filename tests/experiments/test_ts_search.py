"""Transition state searches, held against a state known by symmetry; a killed run goes on."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from ase.build import molecule

from hessbench.chemistry.level_potential import LevelPotential
from hessbench.chemistry.normal_modes import translations_rotations
from hessbench.comparison.potentials import NamedPotential
from hessbench.errors import DataError, HessbenchError, PotentialError
from hessbench.experiments.ts_search.run.command import choose
from hessbench.experiments.ts_search.run.search import (
    USES,
    Searches,
    SearchTask,
    displaced,
    find_saddle,
    keeping_searches,
    run_search,
)
from hessbench.experiments.ts_search.run.settings import TsSearchConfig
from hessbench.potential.array_potential import ArrayPotential
from hessbench.potential.batch import Batch
from hessbench.potential.interface import Potential
from hessbench.reactions.geometries import ReactionGeometries
from hessbench.system.processes import run_tasks

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


class Stopping(LevelPotential):
    """GFN2-xTB that counts its calls in a file, and is interrupted at one of them."""

    def __init__(self, calls: Path, stop: int | None) -> None:
        super().__init__("GFN2-xTB")
        self.calls, self.stop = calls, stop

    def energies_and_forces(self, batch: Batch) -> tuple[np.ndarray, np.ndarray]:
        self.calls.write_text(self.calls.read_text() + "x")
        if len(self.calls.read_text()) == self.stop:
            raise KeyboardInterrupt
        return super().energies_and_forces(batch)


def searched(
    folder: Path, load: Callable[[], Potential], digest: str = "1", **settings: object
) -> list[dict]:
    """Rows of four searches, one after the other in this process, without the times."""
    numbers, saddle = planar_ammonia()
    reactions = [ReactionGeometries(name, numbers, {"TS": saddle}) for name in ("a", "b")]
    shared = Searches(reactions, CONFIG.model_copy(update=settings))
    potential = NamedPotential("E", 0, load, digest)
    tasks = [SearchTask(index, potential, use) for use in USES for index in range(2)]
    rows = run_tasks(run_search, tasks, shared, keeping_searches(1, folder, shared), lambda done: None)
    return [{name: value for name, value in row.items() if name != "cpu_s"} for row in rows]


@pytest.mark.slow
def test_a_killed_run_goes_on_and_ends_as_an_undisturbed_one(tmp_path) -> None:
    calls = tmp_path / "calls"

    def counted(stop: int | None, folder: str, **more: object) -> tuple[list[dict], int]:
        calls.write_text("")
        rows = searched(tmp_path / folder, partial(Stopping, calls, stop), **more)
        return rows, len(calls.read_text())

    whole, all_calls = counted(None, "whole")
    assert [row["status"] for row in whole] == ["found"] * 4
    calls_each = [row["gradient_calls"] for row in whole]
    assert all_calls == sum(calls_each)
    with pytest.raises(KeyboardInterrupt):
        counted(all_calls - calls_each[3] - 1, "killed")  # at the end of the third search
    assert len(list((tmp_path / "killed").glob("*.npz"))) == 2
    assert counted(None, "killed") == (whole, calls_each[2] + calls_each[3])
    assert counted(None, "killed") == (whole, 0)
    assert counted(None, "killed", processes=7, reactions=2) == (whole, 0)
    for more in ({"digest": "2"}, {"displacement_a": 0.05}):  # neither is what was searched
        assert counted(None, "killed", **more)[1] > 0
    for damaged in (tmp_path / "killed").glob("*.npz"):
        damaged.write_bytes(damaged.read_bytes()[:-100])
    with pytest.raises(DataError, match=r"is no checkpoint .*; delete it to compute it anew"):
        counted(None, "killed")


@pytest.mark.slow
def test_a_search_that_failed_is_tried_again(tmp_path) -> None:
    assert {row["status"] for row in searched(tmp_path, Failing)} == {"failed"}
    assert {row["status"] for row in searched(tmp_path, partial(LevelPotential, "GFN2-xTB"))} == {"found"}


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
