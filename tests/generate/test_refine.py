import numpy as np
import pytest

from hessbench.chemistry.levels import make_level
from hessbench.generate.refine import (
    RefinementError,
    RefineTask,
    changed_bonds,
    find_minimum,
    is_stationary,
    refine_reaction,
)
from tests.generate.conftest import LEVEL, ammonia, hydrogen_cyanide, inversion


@pytest.mark.parametrize("reaction", [inversion(seed=1), hydrogen_cyanide()], ids=["NH3", "HCN"])
def test_refined_structures_are_stationary_and_of_the_right_order_of_energy(reaction):
    outcome = refine_reaction(RefineTask(reaction, LEVEL, 0.01))
    assert outcome.failures == []
    energies = {}
    for role in ("R", "TS", "P"):
        level = make_level(LEVEL, reaction.numbers)
        assert is_stationary(level, outcome.arrays[role], 0.0101)
        assert not is_stationary(level, reaction.coordinates[role], 0.0101)
        energies[role] = level.gradient(outcome.arrays[role])[0]
    assert energies["TS"] > max(energies["R"], energies["P"]) + 1


def test_failures_are_recorded_and_the_rest_is_kept():
    reaction = inversion()
    reaction.coordinates["TS"] = np.zeros((4, 3))
    del reaction.coordinates["P"]
    outcome = refine_reaction(RefineTask(reaction, LEVEL, 0.01))
    assert set(outcome.arrays) == {"numbers", "R"}
    assert [failure.structure for failure in outcome.failures] == ["TS", "P"]
    assert outcome.failures[0].reason.startswith("GFN2-xTB: ")
    assert outcome.failures[1].reason == "no starting geometry"


def test_a_minimum_that_is_another_molecule_is_refused():
    # A hydrogen atom without a bond beside CN goes to the carbon atom.
    start = np.array([[0.0, 0, 0], [1.16, 0, 0], [-0.3, 1.65, 0]])
    with pytest.raises(RefinementError, match="bonds changed on the way to the minimum: 0-2 made"):
        find_minimum(make_level(LEVEL, np.array([6, 7, 1])), start, 0.01)


def test_changed_bonds_names_clear_changes_only():
    numbers = np.array([7, 1, 1, 1])
    before = ammonia(0.35)
    after = before.copy()
    after[1] *= 3
    assert changed_bonds(numbers, before, after) == "0-1 broken"
    assert changed_bonds(numbers, after, before) == "0-1 made"
    after[1] = before[1] * 1.3
    assert changed_bonds(numbers, before, after) == ""
