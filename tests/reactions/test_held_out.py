"""Which reactions count as unseen, from the embedded data."""

import json

import pytest

from hessbench.data.layout import ReactionFile, write_reactions
from hessbench.data.settings import SplitConfig
from hessbench.data.split import make_split, write_split
from hessbench.data.structures import load_structures
from hessbench.embedded import EMBEDDED
from hessbench.errors import DataError
from hessbench.reactions.geometries import ReactionGeometries
from hessbench.reactions.geometry_file import write_geometries
from hessbench.reactions.held_out import held_out_geometries, unseen_saddles


@pytest.fixture
def data(tmp_path):
    """Twelve reactions; the split trains on a quarter of their structures."""
    path, split = tmp_path / "rtp.h5", tmp_path / "split.json"
    with ReactionFile(EMBEDDED / "rtp.h5") as file:
        write_reactions(path, (file[name] for name in file.names[:12]), file.metadata)
    with ReactionFile(path) as file:
        identifier = file.identifier
    config = SplitConfig(validation_percent=20, test_percent=40, training_percents=(40,), by="reaction")
    write_split(make_split(load_structures(path).reactions, identifier, config), split)
    return path, split


@pytest.fixture
def geometries(data, tmp_path):
    """A reaction of the data and one more."""
    with ReactionFile(data[0]) as file:
        known, metadata = file[file.names[0]], file.metadata
    places = dict(zip(("R", "TS", "P"), known.coordinates, strict=True))
    path = tmp_path / "geometries.h5"
    items = [ReactionGeometries(name, known.numbers, places) for name in (known.name, "another")]
    write_geometries(path, items, metadata)
    return path


def untrained(data):
    path, split = data
    structures, training = load_structures(path), json.loads(split.read_text())["training"]
    return set(structures.reaction_names) - {
        structures.reaction_names[index] for index in structures.reactions[training]
    }


def names(*arguments):
    return {item.name for item in held_out_geometries(*arguments)}


def test_geometries_are_taken_but_not_those_of_the_data(data, geometries):
    assert names(geometries, *data) == {"another"}


def test_without_geometries_reactions_that_nothing_trains_on(data):
    assert 0 < len(untrained(data)) < 12
    assert names(None, *data) == untrained(data)


def test_saddles_of_which_only_the_ends_are_trained_on_say_so(data):
    path, split = data
    structures = load_structures(path)
    config = SplitConfig(validation_percent=20, test_percent=40, training_percents=(40,), by="structure")
    made = make_split(structures.reactions, json.loads(split.read_text())["data"], config)
    write_split(made, split)
    seen = {name: set() for name in structures.reaction_names}
    for index in made.training:
        name = structures.reaction_names[structures.reactions[index]]
        seen[name].add(("R", "TS", "P")[structures.indices[index]])
    expected = {name: roles for name, roles in seen.items() if "TS" not in roles}
    found = {item.name: set(item.trained) for item in unseen_saddles(None, *data)}
    assert found == expected
    assert any(expected.values())
    assert names(None, *data) == {name for name, roles in expected.items() if not roles}


def test_a_file_of_something_else_is_refused(data, tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        names(tmp_path / "none.h5", *data)
    (tmp_path / "text.h5").write_text("geometries")
    with pytest.raises(DataError, match="damaged or of another format"):
        names(tmp_path / "text.h5", *data)
