"""Kinds of reactions, and whether a saddle leads to its minima."""

import numpy as np
import pytest

from hessbench.chemistry.level_potential import LevelPotential
from hessbench.chemistry.levels import make_level
from hessbench.data.layout import Reaction, ReactionFile
from hessbench.embedded import EMBEDDED
from hessbench.experiments.surface.run.cut import POINTS, hydrogen_cut
from hessbench.generate.refine import find_transition_state
from hessbench.reactions.geometries import ReactionGeometries
from hessbench.reactions.held_out import geometries_by_role
from hessbench.reactions.kinds import BondChanges, bond_changes, connect
from hessbench.units import EV

NUMBERS = np.array([1, 6, 7])
LEVEL = "GFN2-xTB"


@pytest.fixture(scope="module")
def isomerization() -> ReactionGeometries:
    """HCN to HNC at GFN2-xTB: a saddle found from a guess, and the minima's guesses."""
    guess = np.array([[1.1, 0, 0.5], [0, 0, 0], [0, 0, 1.17]])
    saddle = find_transition_state(make_level(LEVEL, NUMBERS), guess, 0.01)
    reactant = np.array([[0, 0, -1.07], [0, 0, 0], [0, 0, 1.15]])
    product = np.array([[0, 0, 2.15], [0, 0, 0], [0, 0, 1.15]])
    return ReactionGeometries("rxn000001", NUMBERS, {"R": reactant, "TS": saddle, "P": product})


def test_bond_changes(isomerization):
    places = isomerization.coordinates
    changes = bond_changes(NUMBERS, places["R"], places["P"])
    assert changes.broken.tolist() == [[0, 1]]
    assert changes.made.tolist() == [[0, 2]]
    assert changes.transferred_hydrogens == {0}
    assert not changes.is_single_hydrogen_transfer  # no oxygen
    assert not len(bond_changes(NUMBERS, places["R"], places["R"]).broken)


def test_kinds():
    numbers = np.array([1, 1, 6, 7, 8, 6])
    pair = np.array
    single = BondChanges(numbers, pair([[0, 2]]), pair([[0, 3]]))
    assert single.is_single_hydrogen_transfer
    assert not single.is_multi_process
    extra = BondChanges(numbers, pair([[0, 2], [4, 5]]), pair([[0, 3]]))
    assert not extra.is_single_hydrogen_transfer
    cho = np.array([1, 1, 6, 6, 8, 6])
    double = BondChanges(cho, pair([[0, 2], [1, 3], [4, 5]]), pair([[0, 3], [1, 2]]))
    assert double.is_multi_process
    assert not BondChanges(cho, pair([[0, 2], [1, 3]]), pair([[0, 3], [1, 2]])).is_multi_process
    assert not BondChanges(numbers, double.broken, double.made).is_multi_process  # nitrogen


@pytest.fixture(scope="module")
def transfer() -> ReactionGeometries:
    """A reaction of the embedded data, stationary points at GFN2-xTB."""
    with ReactionFile(EMBEDDED / "rtp.h5") as file:
        reaction = file["rxn001957"]
    return ReactionGeometries(reaction.name, reaction.numbers, geometries_by_role(reaction))


def test_saddle_connects_its_minima(transfer):
    numbers, places = transfer.numbers, transfer.coordinates
    found = connect(transfer, "held-out", LevelPotential(LEVEL), 0.01, 300)
    assert found is not None
    level = make_level(LEVEL, numbers)
    energies = {}
    for role, end in (("R", found.reactant), ("P", found.product)):
        changes = bond_changes(numbers, places[role], end)
        assert len(changes.broken) == len(changes.made) == 0
        energies[role], gradient = level.gradient(end)
        assert np.abs(gradient).max() < 0.01 * EV
    saddle = level.gradient(found.transition_state)[0]
    assert found.barrier == pytest.approx(saddle - energies["R"], abs=1e-3)
    swapped = {"R": places["P"], "TS": places["TS"], "P": places["R"]}
    back = connect(ReactionGeometries("back", numbers, swapped), "held-out", LevelPotential(LEVEL), 0.01, 300)
    assert back is not None
    assert back.barrier == pytest.approx(saddle - energies["P"], abs=0.05)


def test_a_saddle_of_another_reaction_is_refused(transfer):
    places = transfer.coordinates
    wrong = ReactionGeometries("wrong", transfer.numbers, {**places, "P": places["R"]})
    assert connect(wrong, "held-out", LevelPotential(LEVEL), 0.01, 300) is None


def test_roles_from_annotation_or_from_the_hessian(isomerization):
    level = make_level(LEVEL, NUMBERS)
    coordinates = np.stack([isomerization.coordinates[role] for role in ("R", "TS", "P")])
    hessians = np.stack([level.hessian(item) for item in coordinates])
    zeros = np.zeros(3), np.zeros((3, 3, 3))
    reaction = Reaction("rxn1", NUMBERS, coordinates, *zeros, hessians)
    found = geometries_by_role(reaction)
    assert set(found) == {"R", "TS", "P"}
    np.testing.assert_array_equal(found["TS"], coordinates[1])
    roles = {"role": np.array(["TS", "P", "R"])}
    annotated = Reaction("rxn1", NUMBERS, coordinates, *zeros, hessians, roles)
    np.testing.assert_array_equal(geometries_by_role(annotated)["P"], coordinates[1])


def test_surface_is_a_full_grid_with_a_saddle_between_two_wells(isomerization):
    places = isomerization.coordinates
    table = hydrogen_cut(NUMBERS, places["R"], places["TS"], places["P"], LevelPotential(LEVEL))
    grid = table.pivot_table(index="y", columns="x", values="energy")
    assert grid.shape == (POINTS, POINTS)
    assert np.isfinite(grid.to_numpy()).all()
    assert table["energy"].min() == 0
