"""Files of every format, written by the formats' own libraries, arrive in the one layout as they were."""

import pickle
import re
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from hessbench.data.layout import HESSIAN_RESOLUTION, Reaction, ReactionFile, write_reactions
from hessbench.errors import DataError
from hessbench.formats.convert import Conversion
from hessbench.formats.convert import convert as convert_source
from hessbench.formats.known import open_data
from hessbench.formats.outcomes import Outcome
from hessbench.formats.unit_names import Units
from hessbench.units import HARTREE
from tests.computed import METADATA
from tests.formats import writers


def convert(path: Path, target: Path, *stated: Units, **options: dict) -> Conversion:
    with open_data(path) as source:
        return convert_source(source, target, *stated, progress=False, **options)


def read(path: Path) -> list[Reaction]:
    with ReactionFile(path) as file:
        return list(file)


def assert_same(found: Reaction, expected: Reaction, single: bool = False, rtol: float = 1e-6) -> None:
    """Compare; `single` if the format holds single precision."""
    assert np.array_equal(found.numbers, expected.numbers)
    np.testing.assert_allclose(found.coordinates, expected.coordinates, atol=1e-5 if single else 1e-6)
    np.testing.assert_allclose(found.energies, expected.energies, rtol=1e-6 if single else 1e-8)
    np.testing.assert_allclose(found.forces, expected.forces, rtol=rtol, atol=2e-4)
    assert found.hessians is not None
    rounding = 0.51 * HESSIAN_RESOLUTION * HARTREE
    np.testing.assert_allclose(found.hessians, expected.hessians, rtol=rtol, atol=rounding)


def test_published_layout(computed, tmp_path):
    writers.write_openreact(tmp_path / "in", computed)
    result = convert(tmp_path / "in", tmp_path / "out.h5")
    assert (result.reactions, result.structures, result.problems) == (2, 9, ())
    for found, expected in zip(read(tmp_path / "out.h5"), computed, strict=True):
        assert_same(found, expected)


def test_published_layout_with_hessians_in_bohr_is_told_by_the_numbers(computed, tmp_path):
    writers.write_openreact(tmp_path / "in", computed, "Eh/bohr^2")
    result = convert(tmp_path / "in", tmp_path / "out.h5")
    assert result.findings[3].found == "Eh/bohr^2"
    assert "in Eh/bohr^2" in result.findings[3].evidence
    for found, expected in zip(read(tmp_path / "out.h5"), computed, strict=True):
        assert_same(found, expected)


def test_own_layout_with_a_wrong_label_is_refused(computed, tmp_path):
    wrong = [replace(item, hessians=item.hessians * 0.529177**2) for item in computed]
    write_reactions(tmp_path / "in.h5", wrong, METADATA)
    with pytest.raises(
        DataError, match=r"labelled Eh/Angstrom\^2, but are in Eh/bohr\^2: median of .* cm-1"
    ) as error:
        convert(tmp_path / "in.h5", tmp_path / "out.h5")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out.h5").exists()
    convert(tmp_path / "in.h5", tmp_path / "out.h5", Units(hessians="Eh/bohr^2"))
    np.testing.assert_allclose(
        read(tmp_path / "out.h5")[0].hessians, computed[0].hessians, rtol=1e-4, atol=0.05
    )


@pytest.mark.parametrize("with_rxn", [True, False])
def test_horm(computed, tmp_path, with_rxn):
    writers.write_lmdb(tmp_path / "in", writers.horm_records(computed, with_rxn=with_rxn))
    result = convert(tmp_path / "in", tmp_path / "out.h5")
    found = read(tmp_path / "out.h5")
    assert (result.reactions, result.structures) == ((2, 9) if with_rxn else (9, 9))
    assert found[0].annotations["record"][0] == 0
    if with_rxn:
        for item, expected in zip(found, computed, strict=True):
            assert_same(item, expected, single=True, rtol=1e-5)


def test_horm_keeps_the_scattered_records_of_a_reaction_together(computed, tmp_path):
    records = writers.horm_records(computed)
    writers.write_lmdb(tmp_path / "in", [records[i] for i in (0, 3, 1, 4, 2, 5, 6, 7, 8)])
    convert(tmp_path / "in", tmp_path / "out.h5")
    assert [len(item) for item in read(tmp_path / "out.h5")] == [3, 6]


def test_hessian_qm9(computed, tmp_path):
    writers.write_hessian_qm9(tmp_path / "in", computed, ("vacuum", "water"))
    with pytest.raises(DataError, match=r"2 parts \(vacuum, water\), .* name one, e.g. .*vacuum"):
        convert(tmp_path / "in", tmp_path / "out.h5")
    result = convert(tmp_path / "in" / "vacuum", tmp_path / "out.h5")
    assert (result.reactions, result.structures) == (9, 9)
    with ReactionFile(tmp_path / "out.h5") as file:
        assert (file.metadata.name, file.metadata.level) == ("vacuum", "unknown")
        found = file["rxn000002_3"]
    assert_same(found, _structure(computed[1], 3))


@pytest.mark.parametrize("form", ["HORM", "Hessian QM9", "Transition1x"])
def test_the_form_of_a_file_is_no_proof_of_its_level_or_licence(computed, tmp_path, form):
    path = tmp_path / "mine"
    if form == "HORM":
        writers.write_lmdb(path, writers.horm_records(computed))
    elif form == "Hessian QM9":
        writers.write_hessian_qm9(path, computed, ("vacuum",))
    else:
        writers.write_transition1x(path, computed)
    with open_data(path) as source:
        about = source.metadata
        assert about.level == ("wB97X/6-31G(d)" if form == "Transition1x" else "unknown")  # named by its keys
        assert (about.licence, about.citation) == ("unknown", "unknown")
        assert about.origin.startswith(f"a file in the form of {form}")
        assert any(f"{form}" in note and "--licence" in note for note in source.notes)


def test_transition1x(computed, tmp_path):
    writers.write_transition1x(tmp_path / "in", computed)
    result = convert(tmp_path / "in", tmp_path / "out.h5")
    assert (result.reactions, result.structures) == (2, 9)
    found = read(tmp_path / "out.h5")
    assert found[0].hessians is None
    assert found[0].annotations["role"].tolist() == ["R", "TS", "P"]
    assert found[1].annotations["role"].tolist() == ["R", "TS", "path", "path", "path", "P"]
    np.testing.assert_allclose(found[1].forces, computed[1].forces, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("key", ["hessian", "REF_hessian"])
def test_extended_xyz(computed, tmp_path, key):
    writers.write_extxyz(tmp_path / "in", computed, hessian_key=key)
    convert(tmp_path / "in", tmp_path / "out.h5")
    for found, expected in zip(read(tmp_path / "out.h5"), computed, strict=True):
        assert_same(found, expected, rtol=1e-5)


@pytest.mark.parametrize(
    "units",
    [
        Units("Angstrom", "Eh", "Eh/bohr", "Eh/bohr^2"),
        Units("Angstrom", "kcal/mol", "kcal/mol/Angstrom", "kcal/mol/Angstrom^2"),
        Units("bohr", "Eh", "Eh/bohr", "Eh/bohr^2"),
    ],
)
def test_extended_xyz_in_other_units_needs_saying_so(computed, tmp_path, units):
    writers.write_extxyz(tmp_path / "in", computed, units)
    with pytest.raises(DataError, match="are labelled"):
        convert(tmp_path / "in", tmp_path / "out.h5")
    convert(tmp_path / "in", tmp_path / "out.h5", units)
    for found, expected in zip(read(tmp_path / "out.h5"), computed, strict=True):
        assert_same(found, expected, single=True, rtol=2e-5)


def test_forces_with_the_sign_of_gradients_are_refused(computed, tmp_path):
    writers.write_extxyz(tmp_path / "in", [replace(item, forces=-item.forces) for item in computed])
    with pytest.raises(DataError, match="the sign is wrong: these are gradients"):
        convert(tmp_path / "in", tmp_path / "out.h5")


@pytest.mark.parametrize("write", [writers.write_fchk, writers.write_qchem])
def test_quantum_chemistry_output_with_hessian(computed, tmp_path, write):
    (tmp_path / "in").mkdir()
    for index in range(3):
        write(tmp_path / "in" / f"point{index}.out", computed[1], index)
    convert(tmp_path / "in", tmp_path / "out.h5")
    for index, found in enumerate(read(tmp_path / "out.h5")):
        assert_same(found, _structure(computed[1], index), single=True, rtol=1e-4)
    convert(tmp_path / "in" / "point1.out", tmp_path / "one.h5")
    assert len(read(tmp_path / "one.h5")) == 1


def test_gaussian_log_of_an_optimization(computed, tmp_path):
    writers.write_gaussian_log(tmp_path / "in.log", computed[1])
    convert(tmp_path / "in.log", tmp_path / "out.h5")
    (found,) = read(tmp_path / "out.h5")
    assert found.name == "in"
    np.testing.assert_allclose(found.forces, computed[1].forces, atol=1e-3)
    np.testing.assert_allclose(found.energies, computed[1].energies, atol=1e-4)


def test_metadata_can_be_stated_and_says_how_it_came(computed, tmp_path):
    writers.write_extxyz(tmp_path / "in", computed)
    convert(tmp_path / "in", tmp_path / "out.h5", metadata={"name": "mine", "level": "GFN2-xTB"})
    with ReactionFile(tmp_path / "out.h5") as file:
        assert (file.metadata.name, file.metadata.level) == ("mine", "GFN2-xTB")
        assert file.metadata.generator.startswith("hessbench ")
        assert "from extended XYZ" in file.metadata.generator


WRITERS = {
    "openreact": writers.write_openreact,
    "extxyz": writers.write_extxyz,
    "horm": lambda path, reactions: writers.write_lmdb(path, writers.horm_records(reactions)),
}


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_shuffled_species_are_refused(computed, tmp_path, write):
    order = np.random.default_rng(1)
    write(tmp_path / "in", [replace(item, numbers=order.permutation(item.numbers)) for item in computed])
    with pytest.raises(DataError, match="species do not fit the structures"):
        convert(tmp_path / "in", tmp_path / "out.h5")
    assert not (tmp_path / "out.h5").exists()


def test_shuffled_species_of_one_reaction_are_refused(computed, tmp_path):
    odd = replace(computed[1], name="rxn000009", numbers=computed[1].numbers[::-1])
    write = [*computed, *(replace(computed[1], name=f"rxn00001{i}") for i in range(5)), odd]
    writers.write_openreact(tmp_path / "in", write)
    with pytest.raises(DataError, match=r"rxn000009: refused: species do not fit"):
        convert(tmp_path / "in", tmp_path / "out.h5")


def test_hessian_in_another_orientation_is_refused(computed, tmp_path):
    rotation = Rotation.from_euler("xyz", (0.3, 0.4, 0.5)).as_matrix()
    turned = [replace(item, coordinates=item.coordinates @ rotation.T) for item in computed]
    writers.write_openreact(tmp_path / "in", turned)
    with pytest.raises(DataError, match="do not share one orientation"):
        convert(tmp_path / "in", tmp_path / "out.h5")


@pytest.mark.parametrize(
    ("write", "keep"),
    [
        (writers.write_openreact, 0.7),
        (writers.write_transition1x, 0.7),
        (WRITERS["horm"], 0.5),
        (writers.write_extxyz, 0.7),
    ],
)
def test_truncated_files_are_refused(computed, tmp_path, write, keep):
    path = tmp_path / "in"
    write(path, computed)
    path.write_bytes(path.read_bytes()[: int(keep * path.stat().st_size)])
    with pytest.raises(DataError, match="truncated") as error:
        convert(path, tmp_path / "out.h5")
    assert "\n" not in str(error.value)


def test_truncated_arrow_stream_is_refused(computed, tmp_path):
    writers.write_hessian_qm9(tmp_path / "in", computed, ("vacuum",))
    (path,) = (tmp_path / "in").glob("*/*.arrow")
    path.write_bytes(path.read_bytes()[:-5000])
    with pytest.raises(DataError, match="truncated"):
        convert(tmp_path / "in", tmp_path / "out.h5")


class Malicious:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_code_in_a_pickle_does_not_run(computed, tmp_path):
    trap = tmp_path / "ran"
    pickle.loads(pickle.dumps(Malicious(trap)))
    assert trap.exists(), "the trap does not work"
    trap.unlink()
    records = writers.horm_records(computed)
    records[4] = pickle.dumps({"pos": Malicious(trap)})
    writers.write_lmdb(tmp_path / "in", records)
    with pytest.raises(
        DataError, match=r"record 4: refused, nothing of it was run \(it wants pathlib\S*\.Path"
    ):
        convert(tmp_path / "in", tmp_path / "out.h5")
    assert not trap.exists()


def test_files_of_no_known_format_are_refused(tmp_path):
    for content in (b"", b"hello", b"PK\x03\x04zip"):
        (tmp_path / "in").write_bytes(content)
        with pytest.raises(DataError, match=r"empty|no known format|zip archive"):
            convert(tmp_path / "in", tmp_path / "out.h5")
    with h5py.File(tmp_path / "in", "w") as file:
        file["a"] = 1.0
    with pytest.raises(DataError, match="HDF5, but neither"):
        convert(tmp_path / "in", tmp_path / "out.h5")
    with pytest.raises(DataError, match="there is no such file"):
        convert(tmp_path / "none", tmp_path / "out.h5")


def test_energies_of_an_unknown_scale_are_believed_but_need_a_label(computed, tmp_path):
    # Without the walk there is nothing to difference, so only the scale could tell.
    odd = replace(computed[0], energies=computed[0].energies * 0.5)
    writers.write_openreact(tmp_path / "in", [odd])
    energies = convert(tmp_path / "in", tmp_path / "out.h5").findings[1]
    assert (energies.declared, energies.found, energies.outcome) == ("Eh", None, Outcome.CANNOT_TELL)
    assert re.search(r"E per atom is -\d", energies.evidence)
    writers.write_hessian_qm9(tmp_path / "qm9", [odd], ("vacuum",))
    with pytest.raises(
        DataError, match=r"the unit of energies is not stated and .*; state it by --energy-unit"
    ):
        convert(tmp_path / "qm9", tmp_path / "out.h5")


def test_what_the_checks_refuse_can_be_believed_and_the_file_says_so(computed, tmp_path):
    turned = [replace(item, hessians=item.hessians * 0.5) for item in computed]
    writers.write_extxyz(tmp_path / "in", turned)
    with pytest.raises(DataError, match=r"hessians .*--believe takes them as stated\.$"):
        convert(tmp_path / "in", tmp_path / "out.h5")
    result = convert(tmp_path / "in", tmp_path / "out.h5", believe=True)
    assert any("hessians" in problem for problem in result.problems)
    with ReactionFile(tmp_path / "out.h5") as file:
        assert "believed as stated: coordinates in Angstrom, energies in eV" in file.metadata.generator
        assert "hessians in eV/Angstrom^2" in file.metadata.generator
        np.testing.assert_allclose(file["rxn000001"].hessians, turned[0].hessians, atol=0.02, rtol=1e-5)


def _structure(reaction: Reaction, index: int) -> Reaction:
    part = slice(index, index + 1)
    return replace(
        reaction,
        coordinates=reaction.coordinates[part],
        energies=reaction.energies[part],
        forces=reaction.forces[part],
        hessians=reaction.hessians[part],
        annotations={},
    )
