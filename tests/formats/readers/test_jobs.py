"""Outputs of several jobs: what belongs together is read once, what does not is refused by its name."""

import re
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from hessbench.cli.convert import command
from hessbench.errors import DataError
from hessbench.formats.known import open_data
from hessbench.formats.readers.checkpoint_file import read_checkpoint
from hessbench.formats.readers.source import Choice
from tests.formats import writers
from tests.formats.writers import gaussian_job, write_gaussian_jobs


@pytest.fixture
def log(tmp_path):
    return tmp_path / "in.log"


def read(path, choice: Choice | None = None):
    with open_data(path, choice) as source:
        return next(iter(source)), source


@pytest.mark.parametrize(
    ("route", "functional", "named"),
    [
        ("wB97XD/def2TZVP force", "RwB97XD", "B3LYP/6-31G(d), wB97XD/def2TZVP"),
        ("B3LYP/6-311+G(2d,p) force", "RB3LYP", r"B3LYP/6-31G(d), B3LYP/6-311+G(2d,p)"),
        (
            "B3LYP/6-31G(d) scrf=(smd,solvent=water) force",
            "RB3LYP",
            "B3LYP/6-31G(d) scrf=(smd,solvent=water)",
        ),
    ],
    ids=["functional", "basis set", "solvent"],
)
def test_two_levels_are_refused_by_name_and_one_can_be_picked(
    computed, log, tmp_path, route, functional, named
):
    jobs = gaussian_job(computed[1], [0, 1]), gaussian_job(computed[1], [2], route, functional)
    write_gaussian_jobs(log, *jobs)
    with pytest.raises(DataError, match=r"2 levels of theory .*--one-level") as error:
        open_data(log)
    assert named in str(error.value)
    item, source = read(log, Choice(one_level="B3LYP/6-31G(d)"))
    np.testing.assert_allclose(item.coordinates, computed[1].coordinates[:2], atol=1e-6)
    assert source.metadata.level == "B3LYP/6-31G(d)"
    assert "job 2 of 2" in source.notes[0]
    with pytest.raises(DataError, match="no job with forces is at HF/STO-3G, but at B3LYP"):
        open_data(log, Choice(one_level="HF/STO-3G"))
    arguments = [str(log), str(tmp_path / "out.h5"), "--one-level", "B3LYP/6-31G(d)"]
    assert "job 2 of 2" in CliRunner().invoke(command, arguments).output


def test_the_first_geometry_of_a_frequency_job_is_the_last_of_the_optimization(computed, log):
    optimization = gaussian_job(computed[1], [0, 1, 2], "B3LYP/6-31G(d) opt freq")
    step = "N Geom=AllCheck Guess=TCheck SCRF=Check GenChk RB3LYP/6-31G(d) Freq"
    write_gaussian_jobs(log, optimization, gaussian_job(computed[1], [2], step))
    item, source = read(log)
    np.testing.assert_allclose(item.coordinates, computed[1].coordinates[:3], atol=1e-6)
    np.testing.assert_allclose(
        item.forces * 627.5095 / 0.529177, computed[1].forces[:3], atol=1e-3, rtol=1e-4
    )
    assert "the last geometry of job 1 of 2 is the first of the next, and is read once" in source.notes[0]


def test_several_geometries_of_one_level_are_read_all(computed, log):
    write_gaussian_jobs(log, *(gaussian_job(computed[1], [index]) for index in (0, 3, 5)))
    item, source = read(log)
    np.testing.assert_allclose(item.coordinates, computed[1].coordinates[[0, 3, 5]], atol=1e-6)
    assert source.notes == ()


def test_jobs_without_forces_are_left_out_and_said(computed, log):
    single = gaussian_job(computed[1], [0], "CCSD(T)/cc-pVTZ", forces=False)
    write_gaussian_jobs(log, single, gaussian_job(computed[1], [0]), single)
    item, source = read(log)
    assert len(item) == 1
    assert [note.split(" (")[0] for note in source.notes] == ["in.log: job 1 of 3", "in.log: job 3 of 3"]


def test_other_molecules_and_charges_are_named(computed, log):
    write_gaussian_jobs(log, gaussian_job(computed[0], [0]), gaussian_job(computed[1], [0]))
    with pytest.raises(DataError, match=r"its jobs are of 2 molecules \(CH2O, CH4O\)"):
        open_data(log)
    write_gaussian_jobs(log, gaussian_job(computed[1], [0]), gaussian_job(computed[1], [0], state=(1, 2)))
    with pytest.raises(DataError, match="charge 0 and multiplicity 1, charge 1 and multiplicity 2"):
        open_data(log)


def test_charge_and_multiplicity_of_a_log(computed, log):
    write_gaussian_jobs(log, gaussian_job(computed[1], [0], "UB3LYP/6-31G(d) force", "UB3LYP", state=(-1, 2)))
    item, _ = read(log)
    assert (item.charge, item.multiplicity) == (-1, 2)


@pytest.mark.parametrize("kind", ["SP", "Force", "Freq"])
def test_the_order_of_derivatives_decides_what_a_checkpoint_holds(computed, tmp_path, kind):
    """formchk writes zeros where a job computed nothing, and estimates of an optimizer as force constants."""
    path = tmp_path / "in.fchk"
    writers.write_fchk(path, computed[1], 0)
    path.write_text(path.read_text().replace("Freq", f"{kind:<4}", 1))
    if kind == "SP":
        with pytest.raises(
            DataError, match="holds no forces: it is of a job of kind SP, which computes none"
        ):
            open_data(path)
        return
    item, _ = read(path)
    assert (item.hessians is None) == (kind != "Freq")


def test_a_checkpoint_is_read_as_by_cclib(computed, tmp_path):
    """But for what cclib does not know: with g functions it gives up."""
    from cclib.io import ccread

    path = tmp_path / "in.fchk"
    writers.write_fchk(path, computed[1], 0)
    item, expected = read_checkpoint(path, path.read_text()), ccread(str(path))
    np.testing.assert_array_equal(item.numbers, expected.atomnos)
    np.testing.assert_allclose(item.coordinates, expected.atomcoords, rtol=1e-6)
    np.testing.assert_allclose(-item.forces[0], np.reshape(expected.grads, (-1, 3)), rtol=1e-9)
    np.testing.assert_allclose(item.hessian, expected.hessian, rtol=1e-9)
    assert (item.charge, item.multiplicity) == (expected.charge, expected.mult)
    shells = f"{'Shell types':<43}I   N={2:12d}\n{0:12d}{-4:12d}\n"
    path.write_text(path.read_text().replace("Cartesian Gradient", f"{shells}Cartesian Gradient", 1))
    assert read_checkpoint(path, path.read_text()).level == "wB97XD/6-31G(d)"
    assert len(open_data(path).load("in").hessians) == 1


def test_a_checkpoint_may_have_exponents_of_fortran(computed, tmp_path):
    path = tmp_path / "in.fchk"
    writers.write_fchk(path, computed[1], 0)
    text = path.read_text()
    expected, found = read_checkpoint(path, text), read_checkpoint(path, re.sub(r"E([+-]\d\d)", r"D\1", text))
    np.testing.assert_array_equal(found.forces, expected.forces)
    np.testing.assert_array_equal(found.energies, expected.energies)


def test_sections_that_a_program_leaves_out_are_named(computed, tmp_path):
    path = tmp_path / "in.fchk"
    writers.write_fchk(path, computed[1], 0)
    for title, what in (("Total Energy", "energies"), ("Cartesian Gradient", "forces")):
        other = tmp_path / "other.fchk"
        other.write_text(path.read_text().replace(title, "Another thing", 1))
        with pytest.raises(DataError, match=f"holds no {what}"):
            open_data(other)


def test_numbers_of_no_element_are_refused(computed, tmp_path):
    path = tmp_path / "in.fchk"
    writers.write_fchk(path, computed[1], 0)
    head, title, rest = path.read_text().partition("Atomic numbers")
    _, numbers = rest.split("\n")[:2]
    for wrong in ("99999999999999999999", "0", "-6"):
        changed = numbers.replace(" 6", f" {wrong}", 1)
        path.write_text(head + title + rest.replace(numbers, changed, 1))
        with pytest.raises(DataError, match="not those of elements"):
            open_data(path)


def test_a_gradient_of_zeros_is_a_placeholder_whatever_the_kind(computed, tmp_path):
    path = tmp_path / "in.fchk"
    writers.write_fchk(path, replace(computed[1], forces=0 * computed[1].forces), 0)
    with pytest.raises(DataError, match="all of which are zero, a placeholder"):
        open_data(path)
