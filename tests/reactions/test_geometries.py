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
        (lambda arrays: arrays.update(offset=np.array([1, 4, 7])), "does not divide the atoms"),
        (lambda arrays: arrays.update(offset=np.array([0, 7])), "'offset' has 2 elements for 2 of 'rxn_id'"),
        (lambda arrays: arrays.update(ts=np.zeros((7, 2))), "'ts' has the shape"),
        (lambda arrays: arrays.update(ts=np.zeros((6, 3))), "'ts' has 6 atoms, 'atomic_numbers' 7"),
        (lambda arrays: arrays.update(rxn_id=np.int64(1)), "'rxn_id' has the shape"),
        (lambda arrays: arrays.update(rxn_id=np.array(["a", "b"])), "'rxn_id' is of <U1.*int64"),
        (lambda arrays: arrays.update(rxn_id=np.array(["1", "2"])), "'rxn_id' is of <U1.*int64"),
        (lambda arrays: arrays.update(rxn_id=np.array([1.5, 2.5])), "'rxn_id' is of float64"),
        (lambda arrays: arrays.update(rxn_id=np.array([True, False])), "'rxn_id' is of bool"),
        (lambda arrays: arrays.update(rxn_id=np.array([3, 3])), "'rxn_id' has 3 twice"),
        (lambda arrays: arrays.update(rxn_id=np.array([-1, 3])), "'rxn_id' has -1"),
        (lambda arrays: arrays.update(offset=np.array([0.0, 4.0, 7.0])), "'offset' is of float64"),
        (lambda arrays: arrays.update(atomic_numbers=np.array(list("NHHHCNH"))), "'atomic_numbers' is of"),
        (lambda arrays: arrays["atomic_numbers"].fill(0), "'atomic_numbers' has 0, which is no element"),
        (lambda arrays: arrays["atomic_numbers"].fill(119), "'atomic_numbers' has 119, which is no element"),
        (lambda arrays: arrays.update(ts=arrays["ts"].astype(str)), "'ts' is of <U32.*float64"),
        (lambda arrays: arrays.update(ts=arrays["ts"] + 0j), "'ts' is of complex128"),
        (lambda arrays: arrays["ts"].put(1, np.nan), "rxn000001: the array 'ts' is not finite in part"),
        (lambda arrays: arrays["ts"][4:].fill(np.inf), "rxn000002: the array 'ts' is not finite in part"),
    ],
)
def test_wrong_archives_are_refused(geometries_npz, change, problem):
    path = geometries_npz([inversion(), hydrogen_cyanide()])
    with np.load(path) as archive:
        arrays = dict(archive)
    change(arrays)
    np.savez(path, **arrays)
    with pytest.raises(DataError, match=problem) as caught:
        read_npz(path)
    assert str(caught.value).startswith(f"{path}")


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
    with pytest.raises(DataError, match=r"'rxn_id' cannot be read .*; save it as an array of numbers\.$"):
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
