"""Energies of half precision are no labels; round numbers and single precision are."""

import h5py
import numpy as np
import pytest

from hessbench.errors import DataError
from hessbench.formats.convert import convert
from hessbench.formats.known import open_data
from hessbench.formats.precision import rounded_away
from hessbench.units import HARTREE
from tests.formats import writers


@pytest.mark.parametrize("kept", [np.float32, np.float64])
def test_single_and_double_precision_are_kept(kept):
    energies = np.array([-154.123456, -154.2, -40.5163]).astype(kept).astype(float)
    assert rounded_away(energies, HARTREE) is None


def test_half_precision_of_total_energies_is_found_after_a_conversion():
    energies = np.array([-154.123456, -40.5163]).astype(np.float16).astype(float)
    said = rounded_away(energies * HARTREE / HARTREE, HARTREE)
    assert said is not None
    assert said.startswith(f"they are rounded to {2.0**-3 * HARTREE:.2g} kcal/mol")


def test_small_and_single_numbers_are_not_judged():
    assert rounded_away(np.array([0.0, 0.25, 0.5]), 1.0) is None
    assert rounded_away(np.array([-154.0, -154.0]), HARTREE) is None


def test_such_a_file_is_refused_unless_it_is_believed(computed, tmp_path):
    writers.write_openreact(tmp_path / "in", computed)
    with h5py.File(tmp_path / "in", "r+") as file:
        for name in list(file):
            half = file[name]["energies"][...].astype(np.float16)
            del file[name]["energies"]
            file[name]["energies"] = half
    with open_data(tmp_path / "in") as source:
        with pytest.raises(DataError, match=r"energies .* they are rounded to .* half precision"):
            convert(source, tmp_path / "out.h5", progress=False)
        assert convert(source, tmp_path / "out.h5", believe=True, progress=False).structures == 9
