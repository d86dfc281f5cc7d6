import zipfile
from io import BytesIO

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from hessbench.errors import DataError
from hessbench.reactions.geometries import reaction_name, read_npz, shuffled, superimposed
from tests.generate.conftest import hydrogen_cyanide, inversion


def test_archive_is_read_and_missing_structures_are_absent(geometries_npz):
    first, second = inversion(), hydrogen_cyanide()
    del second.coordinates["TS"]
    read = read_npz(geometries_npz([first, second]))
    assert [reaction.name for reaction in read] == ["rxn000001", "rxn000002"]
    assert list(read[1].coordinates) == ["R", "P"]
    np.testing.assert_array_equal(read[0].numbers, first.numbers)
    np.testing.assert_array_equal(read[0].coordinates["TS"], first.coordinates["TS"])


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda arrays: arrays.pop("offset"), "no array 'offset'"),
        (lambda arrays: arrays.update(offset=np.array([0, 4, 6])), "does not divide the atoms"),
        (lambda arrays: arrays.update(offset=np.array([0, 8, 7])), "does not divide the atoms"),
        (lambda arrays: arrays.update(ts=np.zeros((7, 2))), "'ts' has the shape"),
    ],
)
def test_wrong_archives_are_refused(geometries_npz, change, problem):
    path = geometries_npz([inversion(), hydrogen_cyanide()])
    with np.load(path) as archive:
        arrays = dict(archive)
    change(arrays)
    np.savez(path, **arrays)
    with pytest.raises(DataError, match=problem):
        read_npz(path)


def test_arrays_that_claim_more_than_the_archive_holds(tmp_path):
    path = tmp_path / "in.npz"
    header = BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (10**13,)})
    for content, compression, problem in (
        (header.getvalue(), zipfile.ZIP_STORED, "claims the shape"),
        (bytes(100_000_000), zipfile.ZIP_DEFLATED, "claims 100000000 bytes"),
    ):
        with zipfile.ZipFile(path, "w", compression) as archive:
            archive.writestr("offset.npy", content)
        with pytest.raises(DataError, match=problem):
            read_npz(path)


def test_missing_and_unreadable_archives(tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        read_npz(tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("no archive")
    with pytest.raises(DataError, match="not a readable npz"):
        read_npz(tmp_path / "text.npz")
    keys = ("rxn_id", "offset", "atomic_numbers", "reactant", "ts", "product")
    np.savez(tmp_path / "pickle.npz", **dict.fromkeys(keys, np.array([{}], dtype=object)))
    with pytest.raises(DataError, match="not a readable npz"):
        read_npz(tmp_path / "pickle.npz")


def test_order_is_seeded_and_that_of_a_part_is_part_of_that_of_the_whole():
    names = [reaction_name(index) for index in range(500)]
    order = shuffled(names, 1)
    assert sorted(order) == names
    assert order != names
    assert order == shuffled(reversed(names), 1)
    assert order != shuffled(names, 2)
    part = set(names[100:300])
    assert shuffled(part, 1) == [name for name in order if name in part]


def test_superposition_undoes_rigid_motions_and_no_mirror_images():
    rng = np.random.default_rng(0)
    reference = rng.normal(size=(6, 3))
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    turn *= np.linalg.det(turn)
    np.testing.assert_allclose(superimposed(reference @ turn.T + [1, 2, 3], reference), reference, atol=1e-12)
    assert np.abs(superimposed(reference @ -turn.T, reference) - reference).max() > 0.1
    # The best of many rotations is no better.
    other = rng.normal(size=(6, 3))
    best = ((superimposed(other, reference) - reference) ** 2).sum()
    for rotation in Rotation.random(500, random_state=1):
        turned = rotation.apply(other - other.mean(axis=0)) + reference.mean(axis=0)
        assert ((turned - reference) ** 2).sum() >= best
