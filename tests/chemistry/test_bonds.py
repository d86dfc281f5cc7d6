"""One bond criterion: held against molecules whose bonds are known."""

import numpy as np
import pytest

from hessbench.chemistry.bonds import (
    AT_MOST,
    BONDED,
    SURELY,
    bonded_pairs,
    bonds,
    relative_distances,
    sure_changes,
)
from hessbench.embedded import EMBEDDED
from hessbench.experiments.stability.run.molecules import read_molecules
from hessbench.reactions.geometry_file import read_geometries
from tests.generate.conftest import ammonia
from tests.molecules import molecule


@pytest.mark.parametrize(
    ("name", "count"), [("CH3CH2OH", 8), ("C6H6", 12), ("CH3NO2", 6), ("H2O", 2), ("CH3COCl", 6), ("H2", 1)]
)
def test_bonds_of_real_molecules(name, count):
    atoms = molecule(name)
    assert len(bonded_pairs(atoms.numbers, atoms.positions)) == count


def test_bonds_of_the_embedded_molecules_are_those_of_their_smiles():
    chem = pytest.importorskip("rdkit.Chem")
    molecules = read_molecules(EMBEDDED / "md17.extxyz")
    assert len(molecules) == 10
    for name, atoms in molecules.items():
        graph = chem.AddHs(chem.MolFromSmiles(atoms.info["smiles"]))
        assert len(bonded_pairs(atoms.numbers, atoms.positions)) == graph.GetNumBonds(), name
        elements = sorted(atom.GetAtomicNum() for atom in graph.GetAtoms())
        assert sorted(atoms.numbers.tolist()) == elements


def test_the_tolerance_lies_where_minima_have_few_pairs_of_atoms():
    """Where the docstring says: few pairs between bonds and H2, all of H2 within the tolerance."""
    others, hydrogen = [], []
    for reaction in read_geometries(EMBEDDED / "geometries.h5"):
        pair = np.triu_indices(len(reaction.numbers), 1)
        both = (reaction.numbers[pair[0]] == 1) & (reaction.numbers[pair[1]] == 1)
        for role in {"R", "P"} & set(reaction.coordinates):
            ratios = relative_distances(reaction.numbers, reaction.coordinates[role])[pair]
            others.append(ratios[~both])
            hydrogen.append(ratios[both])
    heavy, hydrogens = np.concatenate(others), np.concatenate(hydrogen)
    gap = ((heavy > 1.1) & (heavy < 1.25)).sum() / (heavy < 1.1).sum()
    assert gap < 0.003
    molecular = hydrogens[hydrogens < 1.35]
    assert len(molecular) > 900
    assert molecular.min() > 1.25
    assert np.quantile(molecular, 0.9) < BONDED


def test_distances_are_relative_to_covalent_radii_and_never_an_atoms_own():
    numbers = np.array([6, 1])
    coordinates = np.array([[0, 0, 0], [0, 0, 1.07]])
    ratios = relative_distances(numbers, np.stack([coordinates, 2 * coordinates]))
    np.testing.assert_allclose(ratios[:, 0, 1], [1, 2])  # 0.76 + 0.31 Angstrom
    assert np.isinf(ratios[:, [0, 1], [0, 1]]).all()
    assert bonds(numbers, coordinates).tolist() == [[False, True], [False, False]]


def test_only_a_change_beyond_the_doubtful_range_is_sure():
    numbers = np.array([7, 1, 1, 1])
    before = ammonia(0.35)
    after = before.copy()
    after[1] *= 3
    broken, made = sure_changes(numbers, before, after)
    assert (broken.tolist(), made.tolist()) == ([[0, 1]], [])
    after[1] = before[1] * (SURELY + AT_MOST) / 2
    assert not any(len(pairs) for pairs in sure_changes(numbers, before, after))
