"""Records that fail are named with their number, and left out on request, with the reason."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from hessbench.cli.convert import command
from hessbench.data.layout import ReactionFile
from hessbench.errors import DataError
from hessbench.formats.known import open_data
from tests.formats import writers
from tests.formats.test_convert import convert, read


def broken_hessian(reaction, index: int, eigenvalue_ev: float):
    """The reaction with one more soft mode than there can be; invariances are kept."""
    hessians = reaction.hessians.copy()
    values, vectors = np.linalg.eigh(hessians[index])
    # Along the stiffest mode: free of translations and rotations at a stationary point.
    mode = vectors[:, -1]
    hessians[index] += (eigenvalue_ev * writers.EV.size("hessians") - values[-1]) * np.outer(mode, mode)
    return replace(reaction, hessians=hessians)


@pytest.fixture
def broken(computed, tmp_path):
    """Records 0 - 8, of which 1, a transition state, has a Hessian that cannot be."""
    records = writers.horm_records([broken_hessian(computed[0], 1, -84.5), computed[1]])
    writers.write_lmdb(tmp_path / "in.lmdb", records)
    return tmp_path / "in.lmdb"


def test_a_broken_record_is_named_with_its_eigenvalue_although_others_are_around_it(broken, tmp_path):
    with pytest.raises(
        DataError, match=r"record 1: a Hessian has the eigenvalue .* \(-84\.\d eV.*--skip-bad"
    ):
        convert(broken, tmp_path / "out.h5")


def test_what_fails_is_left_out_on_request_and_listed(broken, tmp_path):
    result = CliRunner().invoke(command, [str(broken), str(tmp_path / "out.h5"), "--skip-bad"])
    assert result.exit_code == 0, result.output
    assert "left out: rxn000001, record 1: a Hessian has the eigenvalue" in result.output
    assert "2 reactions, 8 structures, 1 left out" in result.output
    with ReactionFile(tmp_path / "out.h5") as file:
        assert file["rxn000001"].annotations["record"].tolist() == [0, 2]
        assert "left out rxn000001, record 1: a Hessian has the eigenvalue" in file.metadata.generator


def test_numbers_that_are_not_finite_cost_one_record(computed, tmp_path):
    spoilt = replace(computed[1], energies=np.where(np.arange(6) == 2, np.nan, computed[1].energies))
    alone = replace(computed[0], name="rxn000003", forces=computed[0].forces * np.inf)
    writers.write_lmdb(tmp_path / "in", writers.horm_records([computed[0], spoilt, alone]))
    with pytest.raises(DataError, match=r"energies holds numbers that are not finite \(record 5\)"):
        convert(tmp_path / "in", tmp_path / "out.h5")
    result = convert(tmp_path / "in", tmp_path / "out.h5", skip_bad=True)
    assert [(item.reaction, item.place) for item in result.left_out] == [
        ("rxn000002", "record 5"),
        ("rxn000003", "record 9"),
        ("rxn000003", "record 10"),
        ("rxn000003", "record 11"),
    ]
    assert [len(item) for item in read(tmp_path / "out.h5")] == [3, 5]


def test_a_file_of_which_nothing_is_left_is_refused(computed, tmp_path):
    writers.write_lmdb(
        tmp_path / "in", writers.horm_records([replace(computed[0], forces=np.nan * computed[0].forces)])
    )
    with pytest.raises(DataError, match="no reaction of it can be used"):
        convert(tmp_path / "in", tmp_path / "out.h5", skip_bad=True)


def test_a_field_that_is_the_same_for_all_compositions_names_no_reactions(computed, tmp_path):
    records = []
    for record in writers.horm_records(computed, with_rxn=False):
        with writers.torch_geometric_stand_in() as module:
            content = pickle.loads(record)
            values = content._store.__dict__["_mapping"]
            records.append(pickle.dumps(module.Data(**values, rxn=1)))
    writers.write_lmdb(tmp_path / "in", records)
    with open_data(tmp_path / "in") as source:
        assert list(source.names) == [f"structure{index:07d}" for index in range(9)]
        assert "no reaction number" in source.notes[0]


def test_a_frame_without_a_label_costs_that_frame(computed, tmp_path):
    writers.write_extxyz(tmp_path / "in", computed[1:])
    text = (tmp_path / "in").read_text()
    frames = text.split("energy=")
    (tmp_path / "in").write_text("energy=".join([*frames[:3], f"None was={frames[3]}", *frames[4:]]))
    with pytest.raises(DataError, match="energy of frame 2 is 'None'"):
        convert(tmp_path / "in", tmp_path / "out.h5")
    result = convert(tmp_path / "in", tmp_path / "out.h5", skip_bad=True)
    assert [(item.reaction, item.place) for item in result.left_out] == [("rxn000002", "frame 2")]
    (kept,) = read(tmp_path / "out.h5")
    np.testing.assert_allclose(kept.energies, np.delete(computed[1].energies, 2), rtol=1e-7)


@pytest.mark.parametrize("index", [0, 2, 5])
def test_an_energy_of_something_else_costs_its_structure(computed, tmp_path, index):
    energies = computed[1].energies + 40.0 * (np.arange(6) == index)
    writers.write_lmdb(tmp_path / "in", writers.horm_records([replace(computed[1], energies=energies)]))
    with pytest.raises(DataError, match=f"record {index}: the energy of structure"):
        convert(tmp_path / "in", tmp_path / "out.h5")
    result = convert(tmp_path / "in", tmp_path / "out.h5", skip_bad=True)
    ((reaction, place, reason),) = [(item.reaction, item.place, item.reason) for item in result.left_out]
    assert (reaction, place) == ("rxn000001", f"record {index}")
    assert "so it is of something else" in reason
    assert read(tmp_path / "out.h5")[0].annotations["record"].tolist() == [i for i in range(6) if i != index]


def test_of_two_structures_alone_nothing_tells_whose_energy_is_wrong(computed, tmp_path):
    first, pair = computed[0], [2, 3]
    parts = {key: getattr(computed[1], key)[pair] for key in ("coordinates", "forces", "hessians")}
    spoilt = replace(computed[1], energies=computed[1].energies[pair] + [0.0, 40.0], annotations={}, **parts)
    writers.write_lmdb(tmp_path / "in", writers.horm_records([first, spoilt]))
    result = convert(tmp_path / "in", tmp_path / "out.h5", skip_bad=True)
    assert [item.place for item in result.left_out] == ["record 3", "record 4"]
    assert all("nothing tells which of the two" in item.reason for item in result.left_out)
    assert [len(item) for item in read(tmp_path / "out.h5")] == [3]
