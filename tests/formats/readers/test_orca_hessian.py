"""ORCA's .hess files with the gradient beside them, in the form that ORCA 5 and 6 write."""

import bz2
import gzip
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.data import atomic_masses

from hessbench.data.layout import Reaction
from hessbench.errors import DataError
from hessbench.formats.known import open_data
from tests.formats.test_convert import assert_same, convert, read
from tests.formats.writers import ATOMIC, scaled


def write(path: Path, reaction: Reaction, index: int, state: str = "") -> None:
    """NAME.hess and NAME.engrad of one structure."""
    points, energies, forces, hessians = (item[index] for item in scaled(reaction, ATOMIC))
    symbols, size = Atoms(numbers=reaction.numbers).get_chemical_symbols(), hessians.shape[0]
    lines = ["", "$orca_hessian_file", "", "$act_atom", "  0", "", "$act_coord", "  0", "", "$act_energy",
             "        0.000000", "", *state.split("\n"), "$hessian", f"{size}"]  # fmt: skip
    for first in range(0, size, 5):
        columns = range(first, min(first + 5, size))
        lines.append(" " * 10 + "".join(f"{column:19d}" for column in columns))
        lines += [
            f"{row:5d}     " + "".join(f"{hessians[row, column]:19.10E}" for column in columns)
            for row in range(size)
        ]
    lines += ["", "$vibrational_frequencies", f"{size}", *(f"{i:5d}    0.000000" for i in range(size)), "",
              "#", "# The atoms: label  mass x y z (in bohrs)", "#", "$atoms", f"{len(symbols)}"]  # fmt: skip
    for symbol, number, point in zip(symbols, reaction.numbers, points, strict=True):
        mass = atomic_masses[number]
        lines.append(f" {symbol:<2} {mass:12.5f}" + "".join(f"{value:19.12f}" for value in point))
    path.write_text("\n".join([*lines, "", "$actual_temperature", "  0.000000", "", "$end", ""]))
    rows = ["#", "# Number of atoms", "#", f" {len(symbols)}", "#", "# The current total energy in Eh", "#",
            f"{energies:22.12f}", "#", "# The current gradient in Eh/bohr", "#",
            *(f"{value:21.12f}" for value in -forces.ravel()),
            "#", "# The atomic numbers and current coordinates in Bohr", "#"]  # fmt: skip
    rows += [
        f"{number:4d}   " + "".join(f"{value:14.7f}" for value in point)
        for number, point in zip(reaction.numbers, points, strict=True)
    ]
    path.with_suffix(".engrad").write_text("\n".join([*rows, ""]))


def test_a_pair_of_files_arrives_as_it_was(computed, tmp_path):
    write(tmp_path / "methanol.hess", computed[1], 2)
    convert(tmp_path / "methanol.hess", tmp_path / "out.h5")
    (found,) = read(tmp_path / "out.h5")
    expected = computed[1]
    part = slice(2, 3)
    single = Reaction(
        "methanol", expected.numbers, expected.coordinates[part], expected.energies[part],
        expected.forces[part], expected.hessians[part],
    )  # fmt: skip
    assert_same(found, single, rtol=1e-5)


def test_a_directory_of_pairs_with_charges(computed, tmp_path):
    write(tmp_path / "a.hess", computed[1], 0, "$charge\n  -1\n\n$multiplicity\n  2\n")
    write(tmp_path / "b.hess", computed[0], 1)
    with open_data(tmp_path) as source:
        assert source.format == "ORCA Hessian"
        assert [(item.name, item.charge, item.multiplicity) for item in source] == [
            ("a", -1, 2),
            ("b", None, None),
        ]


def test_what_is_missing_or_of_another_geometry_is_said(computed, tmp_path):
    path = tmp_path / "a.hess"
    write(path, computed[1], 0)
    gradient = path.with_suffix(".engrad").read_text()
    path.with_suffix(".engrad").unlink()
    with pytest.raises(DataError, match=r"holds no forces; put a\.engrad beside it"):
        convert(path, tmp_path / "out.h5")
    write(path, computed[1], 5)
    path.with_suffix(".engrad").write_text(gradient)
    with pytest.raises(DataError, match="is of another geometry"):
        convert(path, tmp_path / "out.h5")


@pytest.mark.parametrize("keep", [0.3, 0.6, 0.95])
def test_truncated_files_are_refused(computed, tmp_path, keep):
    path = tmp_path / "a.hess"
    write(path, computed[1], 0)
    whole = path.read_text()
    path.write_text(whole[: int(keep * len(whole))])
    with pytest.raises(DataError, match="damaged or truncated ORCA Hessian"):
        convert(path, tmp_path / "out.h5")
    path.write_text(whole)
    gradient = path.with_suffix(".engrad")
    text = gradient.read_text()
    gradient.write_text(text[: int(keep * len(text))])
    with pytest.raises(DataError, match=r"a\.engrad: damaged or truncated gradient"):
        convert(path, tmp_path / "out.h5")


def test_a_dimension_that_does_not_fit_is_refused(computed, tmp_path):
    path = tmp_path / "a.hess"
    write(path, computed[1], 0)
    path.write_text(path.read_text().replace("$hessian\n18\n", "$hessian\n2000000\n"))
    with pytest.raises(DataError, match="a Hessian of dimension 2000000 for 18 coordinates"):
        convert(path, tmp_path / "out.h5")


def packed(path: Path, compress=gzip.compress, ending=".gz") -> Path:
    """Compress a file and remove it."""
    target = path.with_name(path.name + ending)
    target.write_bytes(compress(path.read_bytes()))
    path.unlink()
    return target


def test_compressed_pairs_are_read(computed, tmp_path):
    path, gradient = tmp_path / "a.hess", tmp_path / "a.engrad"
    write(path, computed[1], 0)
    with open_data(path) as source:
        (expected,) = source
    hessian = packed(path)
    for beside in (gradient, packed):
        if beside is packed:
            packed(gradient, bz2.compress, ".bz2")
        with open_data(hessian) as source:
            (found,) = source
        assert (found.name, found.energies) == ("a", expected.energies)
        np.testing.assert_array_equal(found.forces, expected.forces)
        np.testing.assert_array_equal(found.hessians, expected.hessians)


def test_what_is_compressed_and_cannot_be_read_so_is_named(computed, tmp_path):
    path, gradient = tmp_path / "a.hess", tmp_path / "a.engrad"
    write(path, computed[1], 0)
    small = packed(gradient)
    with pytest.raises(DataError, match=r"a\.hess.* holds no forces; decompress a\.engrad\.gz beside it"):
        open_data(path).load("a")
    with pytest.raises(
        DataError, match=r"directory with compressed files, such as a\.engrad\.gz; decompress"
    ):
        open_data(tmp_path)
    whole = gzip.decompress(small.read_bytes())
    small.write_bytes(gzip.compress(whole[:200]))
    with open_data(packed(path)) as source, pytest.raises(DataError, match="a\\.engrad: damaged") as error:
        source.load("a")
    assert str(error.value).startswith(f"{tmp_path}/a.engrad: ")
    small.unlink()
    with (
        open_data(tmp_path / "a.hess.gz") as source,
        pytest.raises(DataError, match=r"put a\.engrad beside it"),
    ):
        source.load("a")
