import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hessbench.data.settings import SplitConfig
from hessbench.data.split import families, make_split, read_split, write_split
from hessbench.errors import DataError, HessbenchError

REACTIONS = np.repeat(np.arange(400), 3)


@given(
    sizes=st.lists(st.integers(1, 5), min_size=60, max_size=90),
    by=st.sampled_from(["structure", "reaction"]),
    seed=st.integers(0, 5),
)
def test_parts_are_disjoint_complete_and_nested(sizes, by, seed):
    reactions = np.repeat(np.arange(len(sizes)), sizes)
    config = SplitConfig(by=by, seed=seed, training_percents=(5, 20, 80))
    split = make_split(reactions, "data", config)
    parts = np.concatenate([split.training_at(80), split.validation, split.test])
    assert sorted(parts) == list(range(len(reactions)))
    assert set(split.training_at(5)) < set(split.training_at(20)) < set(split.training_at(80))
    tolerance = 0.5 if by == "structure" else 2.5
    for part, percent in [(split.test, 10), (split.training_at(20), 20), (split.training_at(80), 80)]:
        assert abs(len(part) - len(reactions) * percent / 100) <= 2 * tolerance
    if by == "reaction":
        groups = [
            set(reactions[part])
            for part in (split.training_at(5), split.training[split.sizes[5] :], split.validation, split.test)
        ]
        assert sum(map(len, groups)) == len(sizes)


def test_sizes_are_percents_of_all_data():
    split = make_split(REACTIONS, "data", SplitConfig(training_percents=(2, 40, 80)))
    assert split.sizes == {2: 24, 40: 480, 80: 960}
    assert len(split.validation) == len(split.test) == 120


def test_seed_decides():
    first, again, other = (make_split(REACTIONS, "data", SplitConfig(seed=seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.training, again.training)
    assert not np.array_equal(first.training, other.training)


def test_by_structure_separates_structures_of_a_reaction():
    split = make_split(REACTIONS, "data", SplitConfig())
    assert set(REACTIONS[split.test]) & set(REACTIONS[split.training])


def test_round_trip(tmp_path):
    split = make_split(REACTIONS, "data", SplitConfig(training_percents=(2, 80)))
    write_split(split, tmp_path / "results" / "split.json")
    read = read_split(tmp_path / "results" / "split.json", "data")
    np.testing.assert_array_equal(read.training_at(2), split.training_at(2))
    np.testing.assert_array_equal(read.test, split.test)
    assert read.config == split.config


def test_split_of_other_data_is_refused(tmp_path):
    path = tmp_path / "split.json"
    write_split(make_split(REACTIONS, "data", SplitConfig()), path)
    with pytest.raises(DataError, match="made for the data 'data', not for 'other'"):
        read_split(path, "other")


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:-3],
        lambda text: text.replace('"training"', '"trainings"'),
        lambda text: text.replace('"test": [\n', '"test": [\n  5000,\n'),
        lambda text: text.replace('"seed": 0', '"seed": "zero"'),
    ],
)
def test_damaged_split_is_refused(tmp_path, damage):
    path = tmp_path / "split.json"
    write_split(make_split(REACTIONS, "data", SplitConfig()), path)
    damaged = damage(path.read_text())
    assert damaged != path.read_text()
    path.write_text(damaged)
    with pytest.raises(DataError, match=r"run `hessbench split`"):
        read_split(path, "data")


def test_missing_split_names_the_command(tmp_path):
    with pytest.raises(DataError, match="hessbench split"):
        read_split(tmp_path / "split.json", "data")


def test_unknown_percent_names_those_there_are():
    with pytest.raises(HessbenchError, match="40 %, only of 80"):
        make_split(REACTIONS, "data", SplitConfig()).training_at(40)


def test_too_little_data():
    with pytest.raises(HessbenchError, match="too few"):
        make_split(np.arange(8), "data", SplitConfig(training_percents=(2, 80)))


@pytest.mark.parametrize("percents", [(80, 20), (90,), (0, 80), (20, 20)])
def test_percents_must_rise_and_fit(percents):
    with pytest.raises(ValueError, match="training_percents must rise within 1 to 80"):
        SplitConfig(training_percents=percents)


def test_parts_of_a_reaction_that_the_layout_keeps_apart_stay_together():
    names = ["rxn000001", "rxn000001-2", "CH4-2", "rxn000002", "rxn000001-3"]
    found = families(names)
    assert found[0] == found[1] == found[4]
    assert len(set(found.tolist())) == 3
    plain = [f"rxn{index:06d}" for index in range(5)]
    assert families(plain).tolist() == list(range(5))  # so that the splits of plain data stay what they were
