"""Extended XYZ: one consistent set of labels or a refusal that says how to pick, and nothing lost unsaid."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write
from click.testing import CliRunner

from hessbench.cli.convert import command
from hessbench.errors import DataError
from hessbench.formats.known import open_data
from hessbench.formats.readers.source import Choice
from tests.formats import writers


def write_sets(path: Path, reaction, sets: dict[str, tuple[float, str]], **info) -> None:
    """Write frames with labels under several names: name to a factor that tells them apart, and quantity."""
    _, energies, forces, hessians = writers.scaled(reaction, writers.EV)
    values = {"energy": energies, "forces": forces, "hessian": hessians}
    frames = []
    for index in range(len(reaction)):
        atoms = Atoms(numbers=reaction.numbers, positions=reaction.coordinates[index], info=dict(info))
        for name, (factor, quantity) in sets.items():
            value = factor * values[quantity][index]
            if name in ("energy", "forces"):
                atoms.calc = atoms.calc or SinglePointCalculator(atoms)
                atoms.calc.results[name] = value
            elif quantity == "forces":
                atoms.arrays[name] = value
            else:
                atoms.info[name] = value
        frames.append(atoms)
    write(path, frames, format="extxyz")


REFERENCE = {"REF_energy": (1, "energy"), "REF_forces": (1, "forces"), "REF_hessian": (1, "hessian")}
PLAIN = {"energy": (1, "energy"), "forces": (1, "forces"), "hessian": (1, "hessian")}


@pytest.mark.parametrize(
    "beside",
    [
        {"energy": (1.1, "energy"), "forces": (1.1, "forces")},
        {"energy": (1.1, "energy")},
        {"MODEL_hessian": (1.1, "hessian")},
        {"energy": (1.1, "energy"), "forces": (1.1, "forces"), "hessian": (1.1, "hessian")},
    ],
    ids=["energy and forces", "energy", "Hessian", "all"],
)
def test_labels_of_a_model_beside_the_reference_are_left_aside_and_said(computed, tmp_path, beside):
    write_sets(tmp_path / "in", computed[1], {**beside, **REFERENCE})
    with open_data(tmp_path / "in") as source:
        (item,) = source
        (note,) = source.notes
    np.testing.assert_allclose(item.energies, computed[1].energies / writers.EV.size("energies"), rtol=1e-7)
    np.testing.assert_allclose(item.forces, computed[1].forces / writers.EV.size("forces"), atol=1e-6)
    np.testing.assert_allclose(item.hessians, computed[1].hessians / writers.EV.size("hessians"), atol=1e-4)
    assert note.startswith("the labels are REF_energy, REF_forces, REF_hessian; left aside: ")
    assert all(key in note for key in beside)


@pytest.mark.parametrize(
    ("sets", "there"),
    [
        ({"energy": (1, "energy"), "REF_forces": (1, "forces")}, "REF_forces, energy"),
        ({"energy": (1, "energy"), "force": (1, "forces")}, "force, energy"),
        ({"dft_energy": (1, "energy"), "dft_forces": (1, "forces"), "hessian": (1, "hessian")}, "dft_energy"),
        (
            PLAIN | {"a_hessian": (1, "hessian"), "b_hessian": (1, "hessian")} | {"hessian": (1, "energy")},
            "a_hess",
        ),
        (
            {
                "REF_energy": (1, "energy"),
                "REF_forces": (1, "forces"),
                "energy": (1, "energy"),
                "hess": (1, "hessian"),
            },
            "hess",
        ),
    ],
    ids=["different origin", "another name", "another prefix", "two Hessians", "Hessian of the other"],
)
def test_what_could_be_meant_is_listed_with_the_options_that_pick(computed, tmp_path, sets, there):
    if "a_hessian" in sets:
        del sets["hessian"]
    write_sets(tmp_path / "in", computed[1], sets)
    with pytest.raises(
        DataError, match=f"labels in it: .*{there}.*--energy-key, --forces-key and --hessian-key"
    ):
        open_data(tmp_path / "in")


def test_labels_can_be_picked(computed, tmp_path):
    sets = {"dft_energy": (1, "energy"), "dft_forces": (1, "forces"), "hessian": (1, "hessian")}
    write_sets(tmp_path / "in", computed[1], sets)
    with pytest.raises(DataError, match="more keys have to be picked"):
        open_data(tmp_path / "in", Choice(energy_key="dft_energy"))
    arguments = [str(tmp_path / "in"), str(tmp_path / "out.h5"), "--energy-key", "dft_energy"]
    result = CliRunner().invoke(
        command, [*arguments, "--forces-key", "dft_forces", "--hessian-key", "hessian"]
    )
    assert result.exit_code == 0, result.output
    assert "the labels are dft_energy, dft_forces, hessian" in result.output
    with open_data(tmp_path / "in", Choice(energy_key="dft_energy", hessian_key="none")) as source:
        assert next(iter(source)).hessians is None
    writers.write_lmdb(tmp_path / "horm", writers.horm_records(computed))
    with pytest.raises(DataError, match="does not offer --energy-key"):
        open_data(tmp_path / "horm", Choice(energy_key="dft_energy"))


def test_a_label_that_one_frame_lacks_is_named_with_the_frame(computed, tmp_path):
    write_sets(tmp_path / "a", computed[1], REFERENCE)
    write_sets(tmp_path / "b", computed[1], {"energy": (1, "energy"), "REF_forces": (1, "forces")})
    (tmp_path / "in").write_text((tmp_path / "a").read_text() + (tmp_path / "b").read_text())
    with open_data(tmp_path / "in") as source:
        assert source.load(source.names[0]).hessians is not None
        with pytest.raises(DataError, match="frame 6 has no REF_energy"):
            source.load(source.names[1]).check(source.path)
    choice = Choice(energy_key="REF_energy", hessian_key="none")
    missing = pytest.raises(DataError, match=r"frame 6 has no REF_energy; labels in it: .*energy")
    with open_data(tmp_path / "in", choice) as source, missing:
        source.load(source.names[0]).check(source.path)


def test_a_cell_is_refused_naming_it_and_left_out_if_asked(computed, tmp_path):
    writers.write_extxyz(tmp_path / "in", computed)
    text = (tmp_path / "in").read_text()
    box = 'Lattice="9.5 0 0 0 9.5 0 0 0 8.25" '
    (tmp_path / "box").write_text(text.replace("Properties=", box + "Properties=").replace("pbc=", "was="))
    with pytest.raises(
        DataError, match=r"frame 0 is periodic \(pbc T T T, cell 9\.500 x 9\.500 x 8\.250 Angstrom"
    ):
        open_data(tmp_path / "box")
    with open_data(tmp_path / "box", Choice(drop_cell=True)) as source:
        assert len(source.names) == 2
        assert "cells are left out, as asked for" in source.notes[0]
    (tmp_path / "box").write_text(text.replace("Properties=", box + "Properties="))
    with open_data(tmp_path / "box") as source:
        assert "cells are left out, since pbc is F F F" in source.notes[0]


def test_columns_with_a_namespace_are_picked_by_their_name(computed, tmp_path):
    writers.write_extxyz(tmp_path / "in", computed)
    text = (tmp_path / "in").read_text()
    with open_data(tmp_path / "in") as source:
        expected = list(source)
    (tmp_path / "in").write_text(text.replace(":forces:R:3", ":mtt::forces:R:3"))
    with pytest.raises(DataError, match=r"mtt::forces.*--forces-key"):
        open_data(tmp_path / "in")
    choice = Choice(energy_key="energy", forces_key="mtt::forces", hessian_key="hessian")
    with open_data(tmp_path / "in", choice) as source:
        for found, wanted in zip(source, expected, strict=True):
            np.testing.assert_array_equal(found.forces, wanted.forces)


def test_isolated_atoms_are_skipped_and_said(computed, tmp_path):
    writers.write_extxyz(tmp_path / "in", computed)
    atom = '1\nProperties=species:S:1:pos:R:3 energy=-13.6 config_type=IsolatedAtom pbc="F F F"\nH 0 0 0\n'
    (tmp_path / "in").write_text(2 * atom + (tmp_path / "in").read_text())
    with open_data(tmp_path / "in") as source:
        assert [len(item) for item in source] == [3, 6]
        assert source.load("rxn000001").place(0) == "frame 2"
        assert "isolated atoms are skipped: frame 0, frame 1" in source.notes
    (tmp_path / "in").write_text(atom)
    with pytest.raises(DataError, match="no frames in it but isolated atoms"):
        open_data(tmp_path / "in")


def test_what_the_layout_has_no_place_for_is_said(computed, tmp_path):
    write_sets(tmp_path / "in", computed[0], PLAIN, dipole_moment="1 2 3")
    with open_data(tmp_path / "in") as source:
        assert source.notes == ("not taken over: dipole_moment",)
    rows = "O 0 0 0 15.999 F 0 0 0\nH 0.76 0.58 0 2.014 T 0 0 0\nH -0.76 0.58 0 2.014 T 0 0 0\n"
    columns = "species:S:1:pos:R:3:masses:R:1:move_mask:L:1:forces:R:3"
    (tmp_path / "in").write_text(f'3\nProperties={columns} energy=-2079.0 pbc="F F F"\n{rows}')
    with open_data(tmp_path / "in") as source:
        assert source.notes == ("not taken over: masses, constraints",)


@pytest.mark.parametrize(
    ("remark", "unit"),
    [("Hartree/Bohr^2", "Eh/bohr^2"), ("Ha/Angstrom**2", "Eh/Angstrom^2"), ("a.u.", "Eh/bohr^2"),
     ("kcal/mol/A^2", "kcal/mol/Angstrom^2"), ("furlongs", None)],
)  # fmt: skip
def test_a_remark_on_the_unit_is_what_the_file_declares(computed, tmp_path, remark, unit):
    write_sets(tmp_path / "in", computed[0], PLAIN, hessian_unit=remark)
    if unit is None:
        with pytest.raises(DataError, match=r"frame 0 says hessian_unit=furlongs, which is no known unit"):
            open_data(tmp_path / "in")
        return
    with open_data(tmp_path / "in") as source:
        assert source.units.hessians == unit
        assert source.units.forces == "eV/Angstrom"


@pytest.mark.parametrize("remark", ["energy-unit", "Energy_Units", "energy_unit"])
def test_a_remark_is_known_however_it_is_written(computed, tmp_path, remark):
    write_sets(tmp_path / "in", computed[0], PLAIN, **{remark: "hartree", "force-unit": "hartree/bohr"})
    with open_data(tmp_path / "in") as source:
        assert (source.units.energies, source.units.forces) == ("Eh", "Eh/bohr")


def test_numbers_of_fortran(computed, tmp_path):
    write_sets(tmp_path / "in", computed[0], PLAIN)
    lines = (tmp_path / "in").read_text().replace("energy=-1", "energy=-0.1D+01*1").splitlines()
    text = "\n".join(line.replace("0.1D+01*1", "1") for line in lines)
    (tmp_path / "in").write_text(text.replace(" pbc=", "D+00 pbc=", 1) + "\n")
    with open_data(tmp_path / "in") as source:
        assert np.isfinite(next(iter(source)).energies).all()


def test_charges_and_multiplicities_of_molecules_without_a_name_are_kept_apart(computed, tmp_path):
    write_sets(tmp_path / "a", computed[1], PLAIN, charge=1, spin=2)
    write_sets(tmp_path / "b", computed[1], PLAIN, total_charge=-1, multiplicity=2)
    (tmp_path / "in").write_text((tmp_path / "a").read_text() + (tmp_path / "b").read_text())
    with open_data(tmp_path / "in") as source:
        assert [(item.charge, item.multiplicity) for item in source] == [(1, 2), (-1, 2)]


HYDROGEN = """2
Properties=species:S:1:pos:R:3:forces:R:3{columns} energy=-31 {values}
H 0 0 0 0 0 1 {first}
H 0 0 0.7 0 0 -1 {second}
"""


@pytest.mark.parametrize(
    ("columns", "values", "atom", "said"),
    [
        ("", "energy=-32", "", "frame 0 has two values of the name energy"),
        (":forces:R:3", "", "0 0 0", "frame 0 has two values of the name forces"),
        ("", "charge=1 total_charge=0", "", "charge must be one whole number for all frames, found 0, 1"),
        (":initial_charges:R:1", "", "0.5", "ask for charge 1.00, but none is stated.* add charge=1"),
        (":initial_magmoms:R:1", "", "1", "ask for multiplicity 3.00.* add multiplicity=3"),
    ],
)
def test_two_answers_to_one_question_are_refused(tmp_path, columns, values, atom, said):
    text = HYDROGEN.format(columns=columns, values=values, first=atom, second=atom)
    (tmp_path / "in").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=said), open_data(tmp_path / "in") as source:
        list(source)


@pytest.mark.parametrize(
    ("columns", "values", "atom", "state"),
    [
        ("", "charge=1 total_charge=1.0 multiplicity=2", "", (1, 2)),
        (":initial_charges:R:1", "charge=2", "1", (2, 1)),
        (":initial_charges:R:1", "", "0.1", (0, 1)),
        (":initial_magmoms:R:1", "spin=3", "1", (0, 3)),
    ],
)
def test_one_answer_is_read(tmp_path, columns, values, atom, state):
    text = HYDROGEN.format(columns=columns, values=values, first=atom, second=atom)
    (tmp_path / "in").write_text(text, encoding="utf-8")
    with open_data(tmp_path / "in") as source:
        (item,) = source
    assert item.state == state


def test_gradients_that_are_picked_as_forces_are_negated_and_said(computed, tmp_path):
    write_sets(tmp_path / "in", computed[1], {"energy": (1, "energy"), "dft_gradient": (-1, "forces")})
    with pytest.raises(DataError, match=r"dft_gradient, energy \(gradients are minus the forces"):
        open_data(tmp_path / "in")
    with open_data(tmp_path / "in", Choice(forces_key="dft_gradient")) as source:
        (item,) = source
        assert source.notes == ("the labels are energy, dft_gradient, the forces as minus dft_gradient",)
    np.testing.assert_allclose(item.forces, computed[1].forces / writers.EV.size("forces"), atol=1e-6)


def test_frames_after_an_empty_line_are_not_lost(computed, tmp_path):
    path = tmp_path / "in"
    writers.write_extxyz(path, computed)
    text = path.read_text()
    lines = text.splitlines(keepends=True)
    end = int(lines[0]) + 2
    path.write_text("".join([*lines[:end], "\n", *lines[end:]]))
    with pytest.raises(DataError, match="an empty line follows frame 0, and more after it; remove that line"):
        open_data(path)
    path.write_text(f"{text}\n  \n\n")
    with open_data(path) as source:
        assert sum(len(item) for item in source) == 9


@pytest.mark.parametrize(
    ("symbol", "meant"), [("D", "write H"), ("C12", "write C"), ("X", ""), ("8", "write O"), ("Q", "")]
)
def test_what_is_no_element_is_named_with_its_frame(computed, tmp_path, symbol, meant):
    writers.write_extxyz(tmp_path / "in", computed[:1])
    lines = (tmp_path / "in").read_text().splitlines()
    atoms = int(lines[0])
    lines[atoms + 4] = lines[atoms + 4].replace(lines[atoms + 4].split()[0], symbol, 1)
    (tmp_path / "in").write_text("\n".join(lines))
    with pytest.raises(DataError, match=f"frame 1, atom 1: '{symbol}' is no element.*{meant}"):
        open_data(tmp_path / "in")


def test_a_hessian_that_cannot_be_read_is_not_lost(computed, tmp_path):
    labels = {"energy": (1, "energy"), "forces": (1, "forces")}
    write_sets(tmp_path / "in", computed[1], labels, hessian="file h.npy")
    with pytest.raises(DataError, match=r"hessian is no matrix of numbers.*'file h.npy'.*--hessian-key none"):
        open_data(tmp_path / "in")
    choice = Choice(energy_key="energy", forces_key="forces", hessian_key="none")
    with open_data(tmp_path / "in", choice) as source:
        assert source.load(source.names[0]).hessians is None


def test_all_numbers_of_a_hessian_may_have_exponents_of_fortran(computed, tmp_path):
    hessian = computed[0].hessians[0] / writers.EV.size("hessians")
    text = " ".join(f"{value:.9E}" for value in hessian.ravel()).replace("E", "D")
    labels = {"energy": (1, "energy"), "forces": (1, "forces")}
    arrays = {key: getattr(computed[0], key)[:1] for key in ("coordinates", "energies", "forces", "hessians")}
    write_sets(tmp_path / "in", replace(computed[0], annotations={}, **arrays), labels, hessian=text)
    with open_data(tmp_path / "in") as source:
        (item,) = source
    np.testing.assert_allclose(item.hessians[0], hessian, rtol=1e-8)
