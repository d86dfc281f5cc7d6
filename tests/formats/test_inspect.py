"""inspect says what is in a file of any format, and what is wrong with it."""

import json
import os
from dataclasses import replace

import h5py
import numpy as np
import pytest
from click.testing import CliRunner

from hessbench.cli.convert import command as convert_command
from hessbench.cli.inspect import command as inspect_command
from hessbench.data.layout import ReactionFile, write_reactions
from hessbench.errors import HessbenchError
from hessbench.formats.inspect import inspect_data
from tests.computed import METADATA
from tests.formats import writers


def verdicts(report: dict) -> dict[str, tuple]:
    return {unit["quantity"]: (unit["declared"], unit["found"], unit["outcome"]) for unit in report["units"]}


def test_our_own_layout(computed, tmp_path):
    write_reactions(tmp_path / "data.h5", computed, METADATA)
    report = inspect_data(tmp_path / "data.h5", progress=False)
    with ReactionFile(tmp_path / "data.h5") as file:
        assert report["checksum"] == file.checksum
    assert report["metadata"]["level"] == "GFN2-xTB"
    assert (report["reactions"], report["structures"], report["hessians"]) == (2, 9, 9)
    assert report["elements"] == {"H": 30, "C": 9, "O": 9}
    assert report["atoms"] == [4, 6]
    assert report["stationary"] == {"optimised": 3, "minima": 2, "transition_states": 1, "higher_saddles": 0}
    assert report["problems"] == []
    assert verdicts(report) == {
        "coordinates": ("Angstrom", "Angstrom", "passed"),
        "energies": ("Eh", "Eh", "passed"),
        "forces": ("Eh/Angstrom", "Eh/Angstrom", "passed"),
        "hessians": ("Eh/Angstrom^2", "Eh/Angstrom^2", "passed"),
    }


FORMATS = {
    "OpenREACT-CHON-EFH (HDF5)": writers.write_openreact,
    "Transition1x (HDF5)": writers.write_transition1x,
    "HORM (LMDB of records)": lambda path, data: writers.write_lmdb(path, writers.horm_records(data)),
    "Hessian QM9 (Arrow)": lambda path, data: writers.write_hessian_qm9(path, data, ("vacuum",)),
    "extended XYZ": writers.write_extxyz,
    "Gaussian or Q-Chem output": lambda path, data: writers.write_gaussian_log(path, data[1]),
}


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_is_known_by_content(computed, tmp_path, form):
    FORMATS[form](tmp_path / "name without suffix", computed)
    report = inspect_data(tmp_path / "name without suffix", progress=False)
    assert report["format"] == form
    assert report["structures"] == (6 if "Gaussian" in form else 9)
    assert report["problems"] == []
    assert all(verdict == "passed" for _, _, verdict in verdicts(report).values())


def test_stationary_structures_cannot_tell_the_unit_of_forces(computed, tmp_path):
    writers.write_openreact(tmp_path / "in", computed[:1])
    report = inspect_data(tmp_path / "in", progress=False)
    assert verdicts(report)["forces"] == ("Eh/Angstrom", None, "cannot tell")
    assert report["problems"] == []


def test_wrong_unit_is_a_problem_with_the_numbers(computed, tmp_path):
    write_reactions(
        tmp_path / "in", [replace(item, hessians=item.hessians * 0.529177**2) for item in computed], METADATA
    )
    report = inspect_data(tmp_path / "in", progress=False)
    assert verdicts(report)["hessians"] == ("Eh/Angstrom^2", "Eh/bohr^2", "failed")
    assert "hessians are labelled Eh/Angstrom^2, but are in Eh/bohr^2" in report["problems"][0]
    assert "cm-1" in report["problems"][0]


def test_changed_content_is_a_problem(computed, tmp_path):
    write_reactions(tmp_path / "in", computed, METADATA)
    with h5py.File(tmp_path / "in", "r+") as file:
        file["rxn000001/energies"][0] += 1e-5
    problems = " ".join(inspect_data(tmp_path / "in", progress=False)["problems"])
    assert "reaction rxn000001: does not have its recorded checksum" in problems
    with h5py.File(tmp_path / "in", "r+") as file:  # as of before there were checksums of reactions
        del file["rxn000001"].attrs["digest"]
    assert "content was changed" in inspect_data(tmp_path / "in", progress=False)["problems"][0]


def test_a_damaged_reaction_is_a_problem_of_its_own(computed, tmp_path):
    broken = replace(computed[0], name="rxn000003", coordinates=computed[0].coordinates * np.nan)
    writers.write_openreact(tmp_path / "in", [*computed, replace(computed[0], name="rxn000000")])
    with h5py.File(tmp_path / "in", "r+") as file:
        file["rxn000001/coordinates"][...] = broken.coordinates
    report = inspect_data(tmp_path / "in", progress=False)
    (said,) = report["problems"]
    assert "reaction rxn000001: coordinates holds numbers that are not finite" in said
    assert report["structures"] == 9


def test_several_levels_in_one_directory_are_named(computed, tmp_path):
    writers.write_hessian_qm9(tmp_path / "in", computed, ("vacuum", "water"))
    report = inspect_data(tmp_path / "in", progress=False)
    assert report["structures"] == 18
    assert "2 parts (vacuum, water)" in report["problems"][0]


def test_command_line(computed, tmp_path):
    writers.write_extxyz(tmp_path / "in.xyz", computed)
    run = CliRunner()
    result = run.invoke(
        convert_command, [str(tmp_path / "in.xyz"), str(tmp_path / "out.h5"), "--level", "GFN2-xTB"]
    )
    assert result.exit_code == 0, result.output
    assert "2 reactions, 9 structures from extended XYZ" in result.output
    again = [str(tmp_path / "in.xyz"), str(tmp_path / "out.h5")]
    before = (tmp_path / "out.h5").read_bytes()
    assert "replace it with --force" in str(run.invoke(convert_command, again).exception)
    assert (tmp_path / "out.h5").read_bytes() == before
    assert run.invoke(convert_command, [*again, "--force"]).exit_code == 0
    assert (tmp_path / "out.h5").read_bytes() != before  # it does not know the level
    run.invoke(convert_command, [*again, "--force", "--level", "GFN2-xTB"])
    for target in ("in.xyz", "pipe"):
        if target == "pipe":
            os.mkfifo(tmp_path / target)
        refused = run.invoke(convert_command, [str(tmp_path / "in.xyz"), str(tmp_path / target), "--force"])
        assert "choose another name." in str(refused.exception)
    result = run.invoke(inspect_command, [str(tmp_path / "out.h5"), "--json"])
    assert result.exit_code == 0
    assert json.loads(result.stdout)["metadata"]["level"] == "GFN2-xTB"
    result = run.invoke(inspect_command, [str(tmp_path / "out.h5")])
    assert "found eV" not in result.output
    assert "problems    none" in result.output
    writers.write_extxyz(
        tmp_path / "wrong.xyz", computed, writers.Units("Angstrom", "Eh", "Eh/bohr", "Eh/bohr^2")
    )
    result = run.invoke(inspect_command, [str(tmp_path / "wrong.xyz")])
    assert result.exit_code == 1
    assert "failed" in result.output
    (tmp_path / "none").write_text("nothing")
    result = run.invoke(inspect_command, [str(tmp_path / "none"), "--json"])
    assert "of no known format" in json.loads(result.stdout)["problems"][0]
    assert isinstance(result.exception, HessbenchError)
