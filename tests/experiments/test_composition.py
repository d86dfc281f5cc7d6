"""Counts of atoms and bonds against molecules that everybody knows."""

import numpy as np
import pandas as pd
import pytest
from ase.build import molecule

from hessbench.data.layout import Reaction
from hessbench.experiments.composition.run.count import ORDERS, composition, count_bonds
from tests.computed import ISOMERS, label

KNOWN = {
    "CH4": (4, 0, 0, 0),
    "C2H4": (4, 1, 0, 0),
    "C2H2": (2, 0, 1, 0),
    "H2CO": (2, 1, 0, 0),
    "HCN": (1, 0, 1, 0),
    "C6H6": (6, 0, 0, 6),
    "CH3CONH2": (7, 1, 0, 0),
    "CO2": (0, 2, 0, 0),
    "H2O": (2, 0, 0, 0),
}


@pytest.mark.parametrize("name", KNOWN)
def test_bonds_of_known_molecules(name):
    atoms = molecule(name)
    assert tuple(count_bonds(atoms.numbers, atoms.positions).values()) == KNOWN[name]


def reaction(name: str, roles: list[str] | None, forces: float = 0.0) -> Reaction:
    atoms = molecule(name)
    count = len(roles) if roles else 1
    return Reaction(
        name,
        atoms.numbers.astype(np.uint8),
        np.stack([atoms.positions] * count),
        np.zeros(count),
        np.full((count, len(atoms), 3), forces),
        annotations={"role": np.array(roles)} if roles else {},
    )


def counts(frame, **wanted) -> list:
    for column, value in wanted.items():
        frame = frame[frame[column] == value]
    return frame["count"].tolist()


def test_elements_heavy_atoms_and_heteroatoms_of_every_structure():
    frame = composition([reaction("CH3CONH2", ["R", "TS", "P"]), reaction("C2H4", ["R"])], "irc")
    assert set(frame["set"]) == {"irc"}
    for symbol, expected in {"C": 2, "H": 5, "N": 1, "O": 1}.items():
        assert counts(frame, reaction="CH3CONH2", kind="element", name=symbol) == [expected] * 3
    assert counts(frame, reaction="CH3CONH2", kind="heavy_atoms") == [4] * 3
    assert counts(frame, reaction="CH3CONH2", kind="heteroatoms") == [2] * 3
    assert counts(frame, reaction="C2H4", kind="heteroatoms") == [0]


def test_bonds_of_reactants_and_products_only():
    bonds = composition([reaction("C2H4", ["R", "TS", "P"])])
    bonds = bonds[bonds["kind"] == "bonds"]
    assert sorted(set(bonds["structure"])) == [0, 2]
    assert set(bonds["name"]) == set(ORDERS)
    assert counts(bonds, structure=2, name="double") == [1]


def test_without_roles_minima_are_told_by_forces_and_hessians():
    frame = composition([label("H2CO", [6, 8, 1, 1], list(ISOMERS.values()), {})])
    assert sorted(set(frame[frame["kind"] == "bonds"]["structure"])) == [0, 2]
    frame = composition([reaction("C2H4", None), reaction("C2H6", None, forces=1.0)])
    assert set(frame[frame["kind"] == "bonds"]["reaction"]) == {"C2H4"}


def test_failure_is_a_row_with_its_reason():
    radical = reaction("CH3", ["R"])
    (row,) = composition([radical]).query("kind == 'bonds'").to_dict("records")
    assert row["name"] == "unknown"
    assert pd.isna(row["count"])
    assert row["reason"]
    assert "\n" not in row["reason"]
