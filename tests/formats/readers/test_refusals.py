"""Files that are almost right are refused, each with a sentence that says where they are not."""

import pickle

import lmdb
import numpy as np
import pyarrow as pa
import pytest

from hessbench.data.layout import Reaction
from hessbench.errors import DataError
from hessbench.formats.known import open_data
from hessbench.formats.readers import quantum_chemistry_output
from tests.formats import writers


def refusal(path) -> str:
    with pytest.raises(DataError) as caught, open_data(path) as source:
        [item.check(path) for item in source]
    return str(caught.value)


def rewrite(path, change) -> None:
    """Change the records of an LMDB, given as a dict by key."""
    with (
        lmdb.open(str(path), subdir=False, map_size=2**26) as environment,
        environment.begin(write=True) as put,
    ):
        records = {key: bytes(value) for key, value in put.cursor()}
        for key, value in change(records).items():
            put.put(key, value)


@pytest.fixture
def horm(computed, tmp_path):
    path = tmp_path / "in.lmdb"
    writers.write_lmdb(path, writers.horm_records(computed))
    return path


def dictionary(**changed) -> bytes:
    content = {
        "pos": np.zeros((2, 3)),
        "energy": 0.0,
        "forces": np.zeros((2, 3)),
        "hessian": np.zeros(36),
        "charges": np.array([1, 1]),
        "rxn": 7,
    }
    content |= changed
    return pickle.dumps({key: value for key, value in content.items() if value is not None})


def test_horm_without_a_label_says_which_record_and_what_it_has(tmp_path):
    gradient = dictionary(forces=None, gradient=np.zeros((2, 3)))
    writers.write_lmdb(tmp_path / "in", [dictionary(), gradient])
    expected = "record 1 has no forces; it has pos, energy, hessian, charges, rxn, gradient"
    assert expected in refusal(tmp_path / "in")


def test_horm_with_coordinates_in_rows_of_atoms(tmp_path):
    writers.write_lmdb(tmp_path / "in", [dictionary(pos=np.zeros((3, 2)))])
    assert "pos of record 0 is 3x2, expected 2x3" in refusal(tmp_path / "in")


def test_horm_whose_charge_is_none_states_none(tmp_path):
    content = pickle.loads(dictionary()) | {"charge": None}
    writers.write_lmdb(tmp_path / "in", [pickle.dumps(content)])
    with open_data(tmp_path / "in") as source:
        assert [item.charge for item in source] == [None]


def test_horm_with_fewer_records_than_it_says(horm):
    rewrite(horm, lambda records: {b"length": pickle.dumps(5)})
    assert "it says that it holds 5 records, but holds 9" in refusal(horm)


@pytest.mark.parametrize("numbers", [[257, 1], [1.5, 1], [0, 1]])
def test_horm_with_atomic_numbers_that_are_none(tmp_path, numbers):
    path = tmp_path / "in.lmdb"
    writers.write_lmdb(path, [dictionary(charges=np.array(numbers))])
    assert "are no atomic numbers" in refusal(path)


def test_horm_with_a_cell(tmp_path):
    for cell in ({"cell": np.eye(3) * 8.5}, {"cell": np.eye(3) * 8.5, "pbc": np.array([True, True, False])}):
        writers.write_lmdb(tmp_path / "in", [dictionary(**cell)])
        assert "record 0: the structure is periodic (cell [[8.5, 0.0, 0.0]" in refusal(tmp_path / "in")
        (tmp_path / "in").unlink()
    writers.write_lmdb(tmp_path / "in", [dictionary(cell=np.zeros((3, 3)), pbc=np.zeros(3, dtype=bool))])
    with open_data(tmp_path / "in") as source:
        assert len(source.names) == 1


def test_horm_of_which_some_records_have_no_hessian(tmp_path):
    path = tmp_path / "in.lmdb"
    writers.write_lmdb(path, [dictionary(), dictionary(hessian=None), dictionary(energy=1.0)])
    with open_data(path) as source:
        with_hessian, without = source
    assert (with_hessian.name, without.name) == ("rxn000007", "rxn000007-2")
    assert (len(with_hessian), without.hessians) == (2, None)
    assert without.places == ("record 1",)


def test_horm_in_a_directory_with_hessians_that_are_none(tmp_path):
    (tmp_path / "in").mkdir()
    record = pickle.loads(dictionary())
    records = [pickle.dumps(record), pickle.dumps(record | {"hessian": None})]
    writers.write_lmdb(tmp_path / "in" / "data.mdb", records)
    with open_data(tmp_path / "in") as source:
        assert [item.hessians is None for item in source] == [False, True]


def test_a_database_of_ase_is_no_horm(tmp_path):
    writers.write_lmdb(tmp_path / "in", [b"x"])
    rewrite(tmp_path / "in", lambda records: {b"nextid": b"2"})
    assert "a database of ASE, not records of HORM" in refusal(tmp_path / "in")


def test_arrow_with_hessians_that_are_null(computed, tmp_path):
    writers.write_hessian_qm9(tmp_path / "in", computed, ("vacuum",))
    path = tmp_path / "in" / "vacuum" / "data-00000-of-00001.arrow"
    with pa.ipc.open_stream(path.read_bytes()) as stream:
        table = stream.read_all()
    hessians = [None, *table["hessian"].to_pylist()[1:]]
    table = table.set_column(
        table.schema.get_field_index("hessian"), "hessian", pa.array(hessians, table["hessian"].type)
    )
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    with open_data(path.parent) as source:
        assert [item.hessians is None for item in source] == [True] + [False] * (len(hessians) - 1)


def test_horm_with_reactions_named_by_text(tmp_path):
    path = tmp_path / "in.lmdb"
    writers.write_lmdb(path, [dictionary(rxn="rxn000167"), dictionary(rxn="a.b/c"), dictionary(rxn=".")])
    with open_data(path) as source:
        assert list(source.names) == ["rxn000167", "a.b_c", "_"]


def test_extended_xyz_with_a_hessian_by_another_name(computed, tmp_path):
    writers.write_extxyz(tmp_path / "in", computed, hessian_key="dft_Hessian")
    with open_data(tmp_path / "in") as source:
        assert all(item.hessians is not None for item in source)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("energy=", "charge=0.5 energy=", "charge must be one whole number"),
        ("energy=", "energy=low was=", "energy or forces are no numbers"),
        ("reaction=rxn000002", "charge=1 reaction=rxn000002", None),
        ("4\n", "99999999999\n", "of no known format"),
    ],
)
def test_extended_xyz(computed, tmp_path, old, new, sentence):
    writers.write_extxyz(tmp_path / "in", computed)
    text = (tmp_path / "in").read_text()
    assert old in text
    if sentence is None:  # all frames of the reaction: fine
        (tmp_path / "in").write_text(text.replace(old, new))
        with open_data(tmp_path / "in") as source:
            assert [item.charge for item in source] == [None, 1]
        (tmp_path / "in").write_text(text.replace(old, new, 1))
        sentence = "found 1, nothing"
    else:
        (tmp_path / "in").write_text(text.replace(old, new, 1))
    assert sentence in refusal(tmp_path / "in")


def test_extended_xyz_that_ends_after_a_number_of_atoms(computed, tmp_path):
    writers.write_extxyz(tmp_path / "in", computed)
    with (tmp_path / "in").open("a") as file:
        file.write("4\n")
    assert "damaged or truncated" in refusal(tmp_path / "in")


@pytest.mark.parametrize("keep", [0.7, 0.9, 0.995])
def test_checkpoint_cut_within_its_hessian(computed, tmp_path, keep):
    writers.write_fchk(tmp_path / "in.fchk", computed[1], 0)
    text = (tmp_path / "in.fchk").read_text()
    (tmp_path / "in.fchk").write_text(text[: int(keep * len(text))])
    assert "numbers of 'Cartesian Force Constants' are missing" in refusal(tmp_path / "in.fchk")


def test_checkpoint_cut_within_a_number(computed, tmp_path):
    writers.write_fchk(tmp_path / "in.fchk", computed[1], 0)
    text = (tmp_path / "in.fchk").read_text()
    for end in ("Cartesian Force Constants", "Total Energy"):
        (tmp_path / "in.fchk").write_text(text[: text.index(end) + 52])
        assert "in.fchk" in refusal(tmp_path / "in.fchk")


def test_checkpoint_of_a_correlated_method_has_the_energy_of_its_forces(computed, tmp_path):
    path = tmp_path / "in.fchk"
    writers.write_fchk(path, computed[1], 0)
    lines = path.read_text().splitlines()
    total = next(index for index, line in enumerate(lines) if line.startswith("Total Energy"))
    lines[total] = f"{'Total Energy':<43}R{-21.5577:27.15E}"
    path.write_bytes("\n".join([*lines, ""]).replace("title", "Méthanol").encode("latin-1"))
    with open_data(path) as source:
        assert next(iter(source)).energies == pytest.approx([-21.5577])


def test_outputs_of_which_one_has_no_hessian(computed, tmp_path):
    for index in range(2):
        writers.write_fchk(tmp_path / f"{index}.fchk", computed[1], index)
    text = (tmp_path / "1.fchk").read_text()
    (tmp_path / "1.fchk").write_text(text[: text.index("Cartesian Force Constants")])
    with open_data(tmp_path) as source:
        assert "no Hessian in 1 of 2 outputs, 1.fchk for one" in source.notes
        assert [item.hessians is None for item in source] == [False, True]


@pytest.mark.parametrize(
    "after",
    [
        " Link1:  Proceeding to internal job step number  2.",
        " Error termination via Lnk1e in /g16/l502.exe",
        " Entering Gaussian System, Link 0=g16",
    ],
)
def test_gaussian_log_whose_second_job_did_not_end(computed, tmp_path, after):
    writers.write_gaussian_log(tmp_path / "in.log", computed[1])
    with open_data(tmp_path / "in.log") as source:
        assert len(list(source)) == 1
    with (tmp_path / "in.log").open("a") as file:
        file.write(f"{after}\n")
    assert "did not end normally" in refusal(tmp_path / "in.log")


def test_hessian_of_another_geometry_than_the_forces(computed, tmp_path):
    """An optimization, then a frequency job that prints no forces: its geometry must be the last one."""
    reaction: Reaction = computed[1]
    writers.write_qchem(tmp_path / "one.out", reaction, 0)
    writers.write_qchem(tmp_path / "two.out", reaction, 5)
    second = (tmp_path / "two.out").read_text()
    start, end = second.index(" Gradient of SCF"), second.index(" Hessian of the SCF")
    first = (tmp_path / "one.out").read_text()
    first = first[: first.index(" Hessian of the SCF")]
    (tmp_path / "in.out").write_text(first + second[:start] + second[end:])
    assert "no forces of the geometry that the Hessian is of" in refusal(tmp_path / "in.out")


def test_energies_are_those_of_the_highest_method():
    class Data:
        metadata: dict = {}  # noqa: RUF012
        scfenergies = np.array([-27.2])
        mpenergies = np.array([[-27.5, -28.0]])

    hartree = 27.211386
    assert quantum_chemistry_output._energies(Data) == pytest.approx([-28.0 / hartree], rel=1e-6)
