import numpy as np
import pytest

from hessbench.data.layout import Metadata, ReactionFile, write_reactions
from hessbench.data.structures import load_structures
from hessbench.errors import DataError
from tests.data.test_layout import METADATA, make_reaction


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("structures") / "data.h5"
    reactions = [make_reaction(f"rxn{i:06d}", atoms=2 + i, structures=1 + i, seed=i) for i in range(4)]
    write_reactions(path, reactions, METADATA)
    return path


def check_structure(structures, position, reaction, index):
    atoms = slice(*structures.atom_offsets[position : position + 2])
    elements = slice(*structures.hessian_offsets[position : position + 2])
    np.testing.assert_array_equal(structures.numbers[atoms], reaction.numbers)
    np.testing.assert_array_equal(structures.coordinates[atoms], reaction.coordinates[index])
    np.testing.assert_array_equal(structures.forces[atoms], reaction.forces[index].astype(np.float32))
    np.testing.assert_array_equal(
        structures.hessians[elements], reaction.hessians[index].ravel().astype(np.float32)
    )
    assert structures.energies[position] == reaction.energies[index]
    assert structures.reaction_names[structures.reactions[position]] == reaction.name
    assert structures.indices[position] == index
    assert structures.annotations["role"][position] == reaction.annotations["role"][index]


def test_all_structures_in_order(path):
    structures = load_structures(path)
    assert len(structures) == 1 + 2 + 3 + 4
    with ReactionFile(path) as file:
        pairs = [(reaction, index) for reaction in file for index in range(len(reaction))]
    for position, (reaction, index) in enumerate(pairs):
        check_structure(structures, position, reaction, index)
    # `select` in any order, with repeats, and by mask.
    chosen = np.array([9, 0, 4, 4])
    selected = structures.select(chosen)
    for position, original in enumerate(chosen):
        check_structure(selected, position, *pairs[original])
    mask = structures.counts == 3
    np.testing.assert_array_equal(structures.select(mask).energies, structures.energies[mask])
    assert len(structures.select(np.array([], dtype=int))) == 0


def test_chosen_reactions(path):
    structures = load_structures(path, ["rxn000002", "rxn000000"])
    assert structures.reaction_names == ("rxn000002", "rxn000000")
    np.testing.assert_array_equal(structures.counts, [4, 4, 4, 2])
    with pytest.raises(DataError, match="no such reaction"):
        load_structures(path, ["rxn000009"])


def test_no_hessians_and_only_some(tmp_path):
    metadata = Metadata("x", "1", "level", "o", "l", "c", "g")
    without = make_reaction("rxn000001", hessians=False)
    write_reactions(tmp_path / "none.h5", [without], metadata)
    assert load_structures(tmp_path / "none.h5").hessians is None
    write_reactions(tmp_path / "some.h5", [without, make_reaction("rxn000002")], metadata)
    some = load_structures(tmp_path / "some.h5")
    alone = load_structures(tmp_path / "some.h5", ["rxn000002"])
    assert some.labelled.tolist() == [False] * len(without) + [True] * len(alone)
    assert alone.labelled is None
    np.testing.assert_array_equal(some.hessians, alone.hessians)
    chosen = np.array([len(some) - 1, 0, len(without), 1])
    part = some.select(chosen)
    assert part.have_hessians.tolist() == [True, False, True, False]
    np.testing.assert_array_equal(part.hessians, alone.select(np.array([len(alone) - 1, 0])).hessians)
    np.testing.assert_array_equal(part.energies, some.energies[chosen])
    assert part.hessian_offsets.tolist() == [0, part.hessians.size // 2] * 1 + [
        part.hessians.size // 2,
        part.hessians.size,
        part.hessians.size,
    ]
