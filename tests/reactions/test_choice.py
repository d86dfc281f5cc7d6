"""Which reactions are chosen: in any number of processes the same."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from hessbench.chemistry.level_potential import LevelPotential
from hessbench.embedded import EMBEDDED
from hessbench.errors import HessbenchError
from hessbench.potential.interface import Potential
from hessbench.reactions.choice import FITS, Search, choose_reactions
from hessbench.reactions.geometries import ReactionGeometries
from hessbench.reactions.geometry_file import read_geometries
from hessbench.reactions.kinds import PathReaction

TRANSFERS = ("rxn009183", "rxn006641")  # of the first, the transition state leads elsewhere
MULTIPLE = "rxn001348"
OTHERS = ("rxn008063", "rxn002655", "rxn003903")  # as the first of TRANSFERS
BARRIERS = {"single hydrogen transfer": 64.13, "multi-process": 80.68}
SEARCH = Search(partial(LevelPotential, "GFN2-xTB"), 0.01, 300)


@pytest.fixture(scope="module")
def candidates() -> list[ReactionGeometries]:
    wanted = {*TRANSFERS, MULTIPLE, *OTHERS}
    return [item for item in read_geometries(EMBEDDED / "geometries.h5") if item.name in wanted]


def chosen(
    candidates: list[ReactionGeometries], processes: int, held_out: int = 2, search: Search = SEARCH
) -> list[PathReaction]:
    return choose_reactions(
        candidates,
        search,
        barriers=BARRIERS,
        held_out=held_out,
        candidates_of_kind=10,
        seed=0,
        processes=processes,
    )


@pytest.mark.slow
def test_the_choice_does_not_depend_on_the_number_of_processes(candidates: list[ReactionGeometries]) -> None:
    alone, together = (chosen(candidates, processes) for processes in (1, 2))
    assert [(item.name, item.kind) for item in alone] == [(item.name, item.kind) for item in together]
    for first, second in zip(alone, together, strict=True):
        assert first.barrier == second.barrier
        np.testing.assert_array_equal(first.reactant, second.reactant)
        np.testing.assert_array_equal(first.product, second.product)
    assert [item.kind for item in alone[:2]] == list(FITS)
    names = [item.name for item in alone]
    assert names[:2] == [TRANSFERS[1], MULTIPLE]
    assert set(names[2:]) <= set(OTHERS[1:])  # none twice, none whose transition state leads elsewhere


@pytest.mark.slow
def test_a_reaction_whose_ends_are_trained_on_is_for_the_figures_alone(
    candidates: list[ReactionGeometries],
) -> None:
    known = {MULTIPLE: "R", OTHERS[0]: "P"}
    partly = [replace(item, trained=frozenset(known.get(item.name, ()))) for item in candidates]
    single, multiple, *others = chosen(partly, 1, held_out=1)
    assert (single.name, multiple.name) == (TRANSFERS[1], MULTIPLE)
    assert (single.trained, multiple.trained) == (frozenset(), frozenset("R"))
    assert not {item.name for item in others} & set(known)
    with pytest.raises(HessbenchError, match="of 4 candidates"):  # the two are not among them
        chosen(partly, 1, held_out=4)


def refuse(_reaction: PathReaction, _potential: Potential) -> bool:
    """No reaction of a figure will do."""
    return False


@pytest.mark.slow
def test_too_few_reactions_is_an_error_of_the_user(candidates: list[ReactionGeometries]) -> None:
    with pytest.raises(HessbenchError, match="single hydrogen transfer"):
        chosen([], 1)
    with pytest.raises(HessbenchError, match=r"3 reactions .* but only 2 of 6"):
        chosen(candidates, 1, held_out=3)
    refusing = Search(SEARCH.load, SEARCH.fmax_ev, SEARCH.steps, refuse)
    with pytest.raises(HessbenchError, match="only 0 of"):
        chosen(candidates, 1, search=refusing)
