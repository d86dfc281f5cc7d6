"""The active data set: whole or a seeded part, checked before anything uses it."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from hessbench.data import locations
from hessbench.data.layout import Metadata, Reaction, ReactionFile, write_reactions
from hessbench.datasets import active
from hessbench.datasets.settings import DataConfig, ReactionCounts
from hessbench.errors import HessbenchError

METADATA = Metadata("small", "1", "a level", "made here", "MIT", "nobody", "test")


def reaction(number: int, structures: int = 3) -> Reaction:
    rng = np.random.default_rng(number)
    hessians = rng.normal(size=(structures, 9, 9))
    return Reaction(
        f"rxn{number:06d}",
        np.array([8, 1, 1], dtype=np.uint8),
        rng.normal(size=(structures, 3, 3)),
        rng.normal(size=structures),
        rng.normal(size=(structures, 3, 3)),
        hessians + hessians.transpose(0, 2, 1),
    )


@pytest.fixture
def workdir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with embedded data: 20 reactions, the last five of them with paths."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(active, "EMBEDDED", tmp_path / "embedded")
    write_reactions(active.EMBEDDED / "rtp.h5", [reaction(n) for n in range(20)], METADATA)
    for name in ("irc", "nms"):
        write_reactions(active.EMBEDDED / f"{name}.h5", [reaction(n, 5) for n in range(15, 20)], METADATA)
    return tmp_path


def names(set_name: str) -> list[str]:
    with ReactionFile(locations.active_file(set_name)) as file:
        return file.names


def test_whole_source_keeps_its_identity(workdir: Path) -> None:
    identifiers = active.prepare_active(DataConfig(source="embedded"))
    with ReactionFile(active.EMBEDDED / "rtp.h5") as file:
        assert identifiers["rtp"] == file.identifier
    assert len(names("rtp")) == 20


def test_part_holds_the_reactions_with_paths_and_is_seeded(workdir: Path) -> None:
    config = DataConfig(source="embedded", reactions=ReactionCounts(rtp=9, irc=3, nms=2))
    identifiers = active.prepare_active(config)
    rtp, irc, nms = (names(item) for item in locations.SETS)
    assert (len(rtp), len(irc), len(nms)) == (9, 3, 2)
    assert set(nms) < set(irc) < set(rtp)
    assert "9 of 20 reactions" in identifiers["rtp"]
    assert active.prepare_active(config) == identifiers
    other = active.prepare_active(config.model_copy(update={"seed": 1}))
    assert other["rtp"] != identifiers["rtp"]


def test_parts_are_nested(workdir: Path) -> None:
    config = DataConfig(source="embedded", reactions=ReactionCounts(rtp=8))
    active.prepare_active(config)
    smaller = set(names("rtp"))
    active.prepare_active(config.model_copy(update={"reactions": ReactionCounts(rtp=14)}))
    assert smaller < set(names("rtp"))


def test_too_many_reactions_asked_for(workdir: Path) -> None:
    with pytest.raises(HessbenchError, match=r"data\.reactions\.irc: 6 asked for, .*irc\.h5 holds 5"):
        active.prepare_active(DataConfig(source="embedded", reactions=ReactionCounts(irc=6)))


def test_damaged_source_leaves_the_active_set_alone(workdir: Path) -> None:
    active.prepare_active(DataConfig(source="embedded"))
    before = locations.active_file("rtp").read_bytes()
    broken = active.EMBEDDED / "rtp.h5"
    content = bytearray(broken.read_bytes())
    content[len(content) // 2] ^= 0xFF
    broken.write_bytes(content)
    with pytest.raises(HessbenchError, match=r"rtp\.h5"):
        active.prepare_active(DataConfig(source="embedded"))
    assert locations.active_file("rtp").read_bytes() == before


def test_generated_data_that_is_not_there_names_the_command(workdir: Path) -> None:
    with pytest.raises(HessbenchError, match="hessbench generate rtp"):
        active.prepare_active(DataConfig(source="generated"))
    shutil.copytree(active.EMBEDDED, locations.GENERATED)
    assert set(active.prepare_active(DataConfig(source="generated"))) == set(locations.SETS)
