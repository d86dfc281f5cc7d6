import dataclasses
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hessbench.data.layout import (
    HESSIAN_RESOLUTION,
    Metadata,
    Reaction,
    ReactionFile,
    verify,
    write_reactions,
)
from hessbench.embedded import EMBEDDED
from hessbench.errors import DataError
from hessbench.units import HARTREE

METADATA = Metadata("test", "1", "GFN2-xTB", "made up", "CC0", "nobody", "tests")
HARMLESS = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def make_reaction(name="rxn000001", atoms=3, structures=2, seed=0, hessians=True) -> Reaction:
    rng = np.random.default_rng(seed)
    h = rng.normal(0, 300, (structures, 3 * atoms, 3 * atoms))
    return Reaction(
        name=name,
        numbers=rng.choice(np.array([1, 6, 7, 8], dtype=np.uint8), atoms),
        coordinates=rng.normal(0, 2, (structures, atoms, 3)),
        energies=rng.normal(-10000, 5, structures),
        forces=rng.normal(0, 30, (structures, atoms, 3)),
        hessians=h + h.transpose(0, 2, 1) if hessians else None,
        annotations={
            "role": np.array(["R", "TS", "P"] * structures)[:structures],
            "path_coordinate": rng.normal(size=structures),
        },
        charge=int(rng.integers(-1, 2)),
        multiplicity=int(rng.integers(1, 3)),
    )


def assert_same(read: Reaction, written: Reaction) -> None:
    assert (read.name, read.charge, read.multiplicity) == (
        written.name,
        written.charge,
        written.multiplicity,
    )
    np.testing.assert_array_equal(read.numbers, written.numbers)
    np.testing.assert_array_equal(read.coordinates, written.coordinates)
    np.testing.assert_allclose(read.energies, written.energies, rtol=1e-15)
    np.testing.assert_allclose(read.forces, written.forces, rtol=1e-7)
    if written.hessians is None:
        assert read.hessians is None
    else:
        # Half a step of the grid, and single precision.
        np.testing.assert_allclose(
            read.hessians, written.hessians, rtol=6e-8, atol=0.501 * HESSIAN_RESOLUTION * HARTREE
        )
        np.testing.assert_array_equal(read.hessians, read.hessians.transpose(0, 2, 1))
    assert set(read.annotations) == set(written.annotations)
    for key, value in written.annotations.items():
        np.testing.assert_array_equal(read.annotations[key], value)


@HARMLESS
@given(
    sizes=st.lists(st.tuples(st.integers(1, 6), st.integers(1, 4)), min_size=1, max_size=4),
    seed=st.integers(0, 2**32),
    hessians=st.booleans(),
)
def test_round_trip(tmp_path: Path, sizes, seed, hessians):
    written = [
        make_reaction(f"rxn{index:06d}", atoms, structures, seed + index, hessians)
        for index, (atoms, structures) in enumerate(sizes)
    ]
    path = tmp_path / "data.h5"
    write_reactions(path, written, METADATA)
    with verify(path) as file:
        assert file.metadata == METADATA
        assert file.names == [reaction.name for reaction in written]
        assert len(file) == len(written)
        for read, reaction in zip(file, written, strict=True):
            assert_same(read, reaction)


def test_same_content_same_bytes_and_checksum_independent_of_compression(tmp_path: Path):
    reactions = [make_reaction("rxn000001"), make_reaction("rxn000002", 4, 3, 1)]
    first, second, third = (tmp_path / f"{number}.h5" for number in range(3))
    write_reactions(first, reactions, METADATA)
    write_reactions(second, reactions, METADATA)
    assert first.read_bytes() == second.read_bytes()
    with h5py.File(first) as source, h5py.File(third, "w") as target:
        target.attrs.update(source.attrs)
        for name in reversed(list(source)):
            group = target.create_group(name)
            group.attrs.update(source[name].attrs)
            for key, dataset in source[name].items():
                group[key] = dataset[()]
    assert third.read_bytes() != first.read_bytes()
    with verify(first) as a, verify(third) as b:
        assert a.checksum == b.checksum
        assert a.identifier == f"test 1 GFN2-xTB {a.checksum[:12]}"


def test_written_again_from_what_was_read_is_the_same_content(tmp_path: Path):
    first, second = tmp_path / "1.h5", tmp_path / "2.h5"
    write_reactions(first, [make_reaction()], METADATA)
    with ReactionFile(first) as file:
        write_reactions(second, file, METADATA)
        with ReactionFile(second) as again:
            np.testing.assert_array_equal(file["rxn000001"].hessians, again["rxn000001"].hessians)
            np.testing.assert_array_equal(file["rxn000001"].forces, again["rxn000001"].forces)


def published(path: Path, mutate=lambda group: None) -> Path:
    """A file as it is published: no file attributes, variable-length symbols, an iform to skip."""
    rng = np.random.default_rng(0)
    h = rng.normal(size=(2, 6, 6))
    with h5py.File(path, "w") as file:
        group = file.create_group("rxn000007")
        group.attrs.update({"crg": 0, "mult": 1, "nat": 2, "molec": "CO"})
        group.create_dataset("species", data=["C", "O"], dtype=h5py.string_dtype())
        group["coordinates"] = rng.normal(size=(2, 2, 3))
        group["energies"] = np.array([-113.1, -113.2])
        group["forces"] = rng.normal(size=(2, 2, 3))
        group["hessian"] = h + h.transpose(0, 2, 1)
        group["iform"] = np.arange(5)
        mutate(group)
    return path


def test_published_file_is_read_and_identified_by_name_and_content(tmp_path: Path):
    path = published(tmp_path / "molecules-RTP.h5")
    with ReactionFile(path) as file, h5py.File(path) as raw:
        reaction = file["rxn000007"]
        np.testing.assert_array_equal(reaction.numbers, [6, 8])
        np.testing.assert_allclose(reaction.energies, [-113.1 * HARTREE, -113.2 * HARTREE])
        np.testing.assert_allclose(reaction.hessians, raw["rxn000007/hessian"][()] * HARTREE)
        assert reaction.annotations == {}
        assert file.metadata.level == "unknown"
        assert file.identifier.startswith("molecules-RTP unknown unknown ")
    with ReactionFile(published(tmp_path / "other.h5")) as other:
        assert other.checksum == file.checksum


def test_species_padded_with_spaces_and_whole_numbers_as_floats_are_read(tmp_path: Path):
    def padded(group):
        replace("species", lambda x: np.array([item.ljust(5) for item in x.tolist()], "S5"))(group)
        group.attrs.update({"mult": 3.0, "crg": np.float64(-1)})

    with ReactionFile(published(tmp_path / "padded.h5", padded)) as file:
        reaction = file["rxn000007"]
    np.testing.assert_array_equal(reaction.numbers, [6, 8])
    assert (reaction.charge, reaction.multiplicity) == (-1, 3)


def replace(key, change):
    def mutate(group):
        array = change(group[key][()])
        del group[key]
        group[key] = array

    return mutate


def set_value(index, value):
    def change(array):
        array[index] = value
        return array

    return change


@pytest.mark.parametrize(
    ("mutate", "problem"),
    [
        (lambda group: group.pop("energies"), "energies is missing"),
        (replace("coordinates", lambda x: x[:1]), "coordinates has the shape"),
        (replace("forces", lambda x: x[:, :, :2]), "forces has the shape"),
        (replace("hessian", lambda x: x.reshape(2, 36)), "hessian has the shape"),
        (replace("energies", lambda x: x[0]), "no structures"),
        (replace("energies", lambda x: x[:0]), "no structures"),
        (replace("energies", lambda x: x.astype(int)), "type int64"),
        (replace("species", lambda x: np.array(["C", "Qq"], dtype="S2")), "unknown elements"),
        (replace("species", lambda x: np.array([6, 8])), "element symbols"),
        (replace("species", lambda x: np.array(["C", "X"], dtype="S2")), "unknown elements"),
        (replace("forces", set_value((0, 0, 0), np.nan)), "not finite"),
        (replace("hessian", set_value((1, 0, 1), np.inf)), "not finite"),
        (replace("hessian", set_value((1, 0, 1), 99.0)), "structure 1 is not symmetric"),
        (lambda group: group.attrs.update({"nat": 3}), "nat is 3"),
        (lambda group: group.attrs.update({"nat": "two"}), "attribute nat is 'two', expected a whole number"),
        (
            lambda group: group.attrs.update({"mult": 1.5}),
            "mult is .*1.5.*, expected a whole number",
        ),
        (
            lambda group: group.attrs.update({"crg": np.nan}),
            "crg is .*nan.*, expected a whole number",
        ),
        (lambda group: group.attrs.update({"crg": [0, 1]}), "attribute crg is .*, expected a whole number"),
        (lambda group: group.move("forces", "gradient"), "forces is missing; it has .*gradient"),
    ],
)
def test_wrong_reaction_is_refused_with_its_name_and_problem(tmp_path: Path, mutate, problem):
    path = published(tmp_path / "wrong.h5", mutate)
    with ReactionFile(path) as file, pytest.raises(DataError, match=problem) as caught:
        file["rxn000007"]
    assert caught.value.reaction == "rxn000007"
    assert str(path) in str(caught.value)


def test_asymmetry_of_rounding_is_accepted_and_removed(tmp_path: Path):
    def perturb(hessian):
        hessian[0, 0, 1] += 2e-5 * np.abs(hessian[0]).max()
        return hessian

    with ReactionFile(published(tmp_path / "x.h5", replace("hessian", perturb))) as file:
        h = file["rxn000007"].hessians
    np.testing.assert_array_equal(h, h.transpose(0, 2, 1))


def test_duplicates_are_refused(tmp_path: Path):
    with pytest.raises(DataError, match="given twice"):
        write_reactions(tmp_path / "a.h5", [make_reaction(), make_reaction()], METADATA)
    assert list(tmp_path.iterdir()) == []
    path = tmp_path / "b.h5"
    published(path)
    with h5py.File(path, "a") as file:
        file["rxn7"] = file["rxn000007"]
    with pytest.raises(DataError, match="same reaction as"):
        ReactionFile(path)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path):
    path = tmp_path / "data.h5"
    write_reactions(path, [make_reaction()], METADATA)
    before = path.read_bytes()
    wrong = dataclasses.replace(make_reaction("rxn000002"), energies=np.array([1.0, np.nan]))
    with pytest.raises(DataError, match=r"rxn000002.*not finite"):
        write_reactions(path, [make_reaction(), wrong], METADATA)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_geometries_without_labels_are_no_data_set():
    with pytest.raises(DataError, match="generate rtp FILE"):
        ReactionFile(EMBEDDED / "geometries.h5")


def test_missing_foreign_empty_and_newer_files(tmp_path: Path):
    with pytest.raises(DataError, match="does not exist"):
        ReactionFile(tmp_path / "none.h5")
    (tmp_path / "text.h5").write_text("not HDF5")
    with pytest.raises(DataError, match="not a readable HDF5"):
        ReactionFile(tmp_path / "text.h5")
    h5py.File(tmp_path / "empty.h5", "w").close()
    with pytest.raises(DataError, match="no reactions"):
        ReactionFile(tmp_path / "empty.h5")
    path = tmp_path / "new.h5"
    write_reactions(path, [make_reaction()], METADATA)
    with h5py.File(path, "a") as file:
        file.attrs["format_version"] = 99
    with pytest.raises(DataError, match="format version 99"):
        ReactionFile(path)


def test_changed_content_does_not_verify(tmp_path: Path):
    path = tmp_path / "data.h5"
    write_reactions(path, [make_reaction()], METADATA)
    with h5py.File(path, "a") as file:
        file["rxn000001/energies"][0] += 1e-6
    with pytest.raises(DataError, match="checksum"):
        verify(path)


@pytest.fixture(scope="module")
def file_bytes(tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("layout") / "data.h5"
    write_reactions(path, [make_reaction(f"rxn{i:06d}", 4, 2, i) for i in range(3)], METADATA)
    return path.read_bytes()


@HARMLESS
@given(share=st.floats(0, 1, exclude_max=True))
def test_truncated_file_is_refused(tmp_path: Path, file_bytes, share):
    path = tmp_path / "truncated.h5"
    path.write_bytes(file_bytes[: int(share * len(file_bytes))])
    with pytest.raises(DataError, match=r"truncated\.h5"):
        verify(path)


ONE_BYTE = given(position=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))


@HARMLESS
@ONE_BYTE
def test_a_changed_byte_is_refused_or_without_effect(tmp_path: Path, file_bytes, position, flip):
    refused_or_without_effect(tmp_path, file_bytes, position, flip)


@pytest.mark.slow
@settings(HARMLESS, max_examples=100)
@ONE_BYTE
def test_any_changed_byte_is_refused_or_without_effect(tmp_path: Path, file_bytes, position, flip):
    refused_or_without_effect(tmp_path, file_bytes, position, flip)


def refused_or_without_effect(tmp_path: Path, file_bytes: bytes, position: float, flip: int) -> None:
    damaged = bytearray(file_bytes)
    damaged[int(position * len(damaged))] ^= flip
    path = tmp_path / "damaged.h5"
    path.write_bytes(damaged)
    intact = tmp_path / "intact.h5"
    intact.write_bytes(file_bytes)
    try:
        file = verify(path)
    except DataError:
        return
    with file, ReactionFile(intact) as original:
        assert file.metadata == original.metadata
        for read, expected in zip(file, original, strict=True):
            np.testing.assert_array_equal(read.coordinates, expected.coordinates)
            np.testing.assert_array_equal(read.hessians, expected.hessians)


def test_a_reaction_that_was_changed_is_refused_by_itself(tmp_path: Path, file_bytes):
    path = tmp_path / "changed.h5"
    path.write_bytes(file_bytes)
    with h5py.File(path, "r+") as file:
        name, other = sorted(file)[:2]
        file[name]["energies"][0] += 1e-3
    with ReactionFile(path) as file:
        with pytest.raises(DataError, match=rf"reaction {name}: does not have its recorded checksum"):
            file[name]
        assert len(file[other])


def test_a_reaction_that_is_gone_is_missed(tmp_path: Path, file_bytes):
    path = tmp_path / "changed.h5"
    path.write_bytes(file_bytes)
    with h5py.File(path, "r+") as file:
        count = len(file)
        del file[sorted(file)[0]]
    with pytest.raises(DataError, match=f"holds {count - 1} of {count} reactions"):
        ReactionFile(path)


def test_files_of_before_there_were_digests_are_read(tmp_path: Path, file_bytes):
    path = tmp_path / "before.h5"
    path.write_bytes(file_bytes)
    with h5py.File(path, "r+") as file:
        del file.attrs["reactions"]
        for group in file.values():
            del group.attrs["digest"]
    verify(path).close()
