"""What files in the test data of other programs showed: checkpoints of tamkin and iodata, Q-Chem output."""

from dataclasses import replace

import numpy as np
import pytest

from hessbench.errors import DataError
from hessbench.formats.known import open_data
from tests.formats import writers
from tests.formats.test_convert import convert
from tests.formats.writers import gaussian_job, write_gaussian_jobs


@pytest.mark.parametrize("left_out", [("Number of atoms",), ("Number of atoms", "Charge")])
def test_checkpoints_whose_first_sections_were_cut_out_are_read(computed, tmp_path, left_out):
    path = tmp_path / "in.fchk"
    writers.write_fchk(path, computed[1], 0)
    with open_data(path) as source:
        (whole,) = source
    lines = [line for line in path.read_text().splitlines() if not line.startswith(left_out)]
    path.write_text("\n".join(lines) + "\n")
    with open_data(path) as source:
        assert source.format == "Gaussian or Q-Chem output"
        (found,) = source
    np.testing.assert_array_equal(found.hessians, whole.hessians)
    np.testing.assert_array_equal(found.forces, whole.forces)
    assert (found.charge, found.multiplicity) == (None if "Charge" in left_out else 0, 1)


def test_a_relaxed_scan_has_forces_and_a_rigid_one_has_none(computed, tmp_path):
    path = tmp_path / "in.fchk"
    writers.write_fchk(path, computed[1], 0)
    with open_data(path) as source:
        (whole,) = source
    path.write_text(path.read_text().replace("\nFreq ", "\nScan "))
    with pytest.raises(DataError, match="of a job of kind Scan, which computes none"):
        open_data(path)
    points = (
        f"{'Opt point       1 Results for each geome':<43}R   N={2:12d}\n  1.00000000E+00  0.00000000E+00\n"
    )
    path.write_text(path.read_text() + points)
    with open_data(path) as source:
        (found,) = source
    np.testing.assert_array_equal(found.forces, whole.forces)
    assert found.hessians is None


def test_a_table_of_words_is_no_checkpoint(tmp_path):
    path = tmp_path / "in.txt"
    for line in (
        f"{'Name of a column':<43}Is a word",
        f"{'Another':<43}I",
        "Number of atoms  I 3",
        f"{'':<43}I   3",
    ):
        path.write_text(f"title\nsecond line\n{line}\n")
        with pytest.raises(DataError, match="of no known format"):
            open_data(path)


def test_a_hessian_that_leaves_frozen_atoms_out_says_so(computed, tmp_path):
    reaction, frozen = computed[1], slice(0, 6)  # two atoms
    hessians, forces = reaction.hessians.copy(), reaction.forces.copy()
    hessians[:, frozen], hessians[:, :, frozen], forces[:, :2] = 0, 0, 0
    path = tmp_path / "in.fchk"
    writers.write_fchk(path, replace(reaction, hessians=hessians, forces=forces), 0)
    with pytest.raises(
        DataError,
        match=f"a Hessian is zero for 2 of {len(reaction.numbers)} atoms, as where some were frozen",
    ):
        convert(path, tmp_path / "out.h5")


def test_the_second_step_of_a_job_is_read_however_long_the_head_of_the_first_is(computed, tmp_path):
    """As Gaussian writes it: the name of the program stands in the eighth line, and only once."""
    first, second = gaussian_job(computed[1], [0, 1]), gaussian_job(computed[1], [2])
    path = tmp_path / "in.log"
    write_gaussian_jobs(path, first, second)
    with open_data(path) as source:
        (expected,) = source
    head = " Initial command:\n" + " of the machine\n" * 200
    write_gaussian_jobs(path, f"{head}{first}", second.partition("\n")[2])
    with open_data(path) as source:
        (found,) = source
    assert len(found) == 3
    np.testing.assert_array_equal(found.coordinates, expected.coordinates)
    np.testing.assert_array_equal(found.forces, expected.forces)


def test_a_restarted_job_that_printed_nothing_is_left_out_and_said(computed, tmp_path):
    path = tmp_path / "in.log"
    write_gaussian_jobs(path, gaussian_job(computed[1], []), gaussian_job(computed[1], [1, 2]))
    with open_data(path) as source:
        (found,) = source
        assert "in.log: job 1 of 2 is left out: it printed no structure" in source.notes
    assert len(found) == 2
    write_gaussian_jobs(path, gaussian_job(computed[1], []), gaussian_job(computed[1], []))
    with pytest.raises(DataError, match="no atoms, coordinates, energies in the output"):
        open_data(path)


def test_a_restarted_job_has_the_charge_of_the_others(computed, tmp_path):
    path = tmp_path / "in.log"
    ion = gaussian_job(computed[1], [0], state=(-1, 2)), gaussian_job(computed[1], [1], state=(-1, 2))
    silent = ["\n".join(line for line in job.split("\n") if not line.startswith(" Charge =")) for job in ion]
    for jobs in ((silent[0], ion[1]), (ion[0], silent[1])):
        write_gaussian_jobs(path, *jobs)
        with open_data(path) as source:
            (found,) = source
            assert sum("states no charge" in note for note in source.notes) == 1
        assert (found.charge, found.multiplicity, len(found)) == (-1, 2, 2)
