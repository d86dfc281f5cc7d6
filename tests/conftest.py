"""Data that the tests of several packages share; made only if a test asks for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from hessbench.data.layout import Reaction
    from hessbench.reactions.geometries import ReactionGeometries


@pytest.fixture(scope="session")
def computed() -> list[Reaction]:
    """H2CO -> HCOH with R, TS, P; and a walk of methanol along one direction, with neighbours."""
    from tests.computed import ISOMERS, METHANOL, label  # loads tblite

    direction = np.random.default_rng(3).normal(0, 0.01, (6, 3))
    walk = [np.array(METHANOL) + step * direction for step in range(1, 7)]
    return [
        label("rxn000001", [6, 8, 1, 1], list(ISOMERS.values()), {"role": np.array(list(ISOMERS))}),
        label("rxn000002", [6, 8, 1, 1, 1, 1], walk, {}),
    ]


@pytest.fixture
def geometries_npz(tmp_path: Path) -> Callable[..., Path]:
    """Write reactions in the form of the npz archive."""

    def write(reactions: list[ReactionGeometries], name: str = "geometries.npz") -> Path:
        counts = [len(reaction.numbers) for reaction in reactions]
        arrays = {
            key: np.concatenate(
                [
                    reaction.coordinates.get(role, np.full((count, 3), np.nan))
                    for reaction, count in zip(reactions, counts, strict=True)
                ]
            )
            for key, role in (("reactant", "R"), ("ts", "TS"), ("product", "P"))
        }
        path = tmp_path / name
        np.savez(
            path,
            rxn_id=np.array([int(reaction.name[3:]) for reaction in reactions]),
            offset=np.concatenate([[0], np.cumsum(counts)]),
            atomic_numbers=np.concatenate([reaction.numbers for reaction in reactions]),
            **arrays,
        )
        return path

    return write


@pytest.fixture(scope="session")
def synthetic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with results/, models/ and tables/ of made-up results; do not change it, copy it."""
    from tests.reproduce.synthetic_results import write_all

    folder = tmp_path_factory.mktemp("synthetic")
    write_all(folder)
    return folder
