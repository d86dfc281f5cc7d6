import io
import tarfile

import numpy as np
import pytest
from ase.data import chemical_symbols

from hessbench.errors import DataError
from hessbench.generate.datasets import load_geometries
from hessbench.generate.qchem_archive import last_geometry, read_archive
from tests.generate.conftest import hydrogen_cyanide, inversion

TABLE = """\
 ----------------------------------------------------------------
             Standard Nuclear Orientation (Angstroms)
    I     Atom           X                Y                Z
 ----------------------------------------------------------------
{atoms}
 ----------------------------------------------------------------
 Molecular Point Group                 C1    NOp =  1
 Nuclear Repulsion Energy =          93.5812345678 hartrees
"""


def table(numbers, coordinates):
    rows = [
        f"    {index:d}      {chemical_symbols[number]:2s} "
        + "".join(f"{value:17.10f}" for value in position)
        for index, (number, position) in enumerate(zip(numbers, coordinates, strict=True), start=1)
    ]
    return TABLE.format(atoms="\n".join(rows))


def log(numbers, coordinates):
    """An optimization of two steps, then a frequency calculation at its end."""
    return (
        "                  Welcome to Q-Chem\n User input:\n$molecule\n0 1\n$end\n"
        + table(numbers, coordinates + 0.3)
        + " Total energy in the final basis set =      -93.3\n"
        + table(numbers, coordinates)
        + "        **  OPTIMIZATION CONVERGED  **\n"
        + "        *  Thank you very much for using Q-Chem.  Have a nice day.  *\n"
        + "                  Welcome to Q-Chem\n"
        + table(numbers, coordinates)
        + " **                       VIBRATIONAL ANALYSIS                         **\n"
        + " Frequency:      1234.56              2345.67\n"
        + "    1      H       0.000000     0.000000     4.756791\n"
        + "        *  Thank you very much for using Q-Chem.  Have a nice day.  *\n"
    )


def write_archive(path, files):
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    return path


def logs(reactions):
    files = {}
    for reaction in reactions:
        number = reaction.name[3:]
        for role, coordinates in reaction.coordinates.items():
            name = f"wb97xd3/{reaction.name}/{role.lower()}{number}.log"
            files[name] = log(reaction.numbers, coordinates)
    return files


def test_optimised_geometries_of_all_reactions(tmp_path):
    reactions = [hydrogen_cyanide("rxn000012"), inversion("rxn000003", seed=1)]
    del reactions[0].coordinates["TS"]
    files = {"wb97xd3/README": "text", **logs(reactions)}
    read = load_geometries(write_archive(tmp_path / "wb97xd3.tar.gz", files))
    assert [reaction.name for reaction in read] == ["rxn000003", "rxn000012"]
    for reaction, written in zip(read, reversed(reactions), strict=True):
        np.testing.assert_array_equal(reaction.numbers, written.numbers)
        assert set(reaction.coordinates) == set(written.coordinates)
        for role, coordinates in written.coordinates.items():
            np.testing.assert_allclose(reaction.coordinates[role], coordinates, atol=1e-10)


def test_the_last_geometry_counts():
    numbers = np.array([6, 17, 1])
    coordinates = np.array([[0.0, -1.5, 2], [1, 2, -3], [-11.25, 0, 0]])
    found = last_geometry(log(numbers, coordinates))
    np.testing.assert_array_equal(found[0], numbers)
    np.testing.assert_array_equal(found[1], coordinates)
    with pytest.raises(ValueError, match="no geometry"):
        last_geometry("Welcome to Q-Chem\n SCF failed to converge\n")
    with pytest.raises(ValueError, match="no geometry"):
        last_geometry(table([1], np.zeros((1, 3))).split("    1      H")[0])


def test_unusable_archives_name_the_reaction(tmp_path):
    files = logs([inversion("rxn000003")])
    broken = {**files, "wb97xd3/rxn000003/p000003.log": "Welcome to Q-Chem"}
    with pytest.raises(DataError, match=r"rxn000003: wb97xd3/rxn000003/p000003\.log: no geometry"):
        read_archive(write_archive(tmp_path / "1.tar.gz", broken))
    other = inversion("rxn000003")
    swapped = log(other.numbers[::-1], other.coordinates["P"])
    with pytest.raises(DataError, match="rxn000003: its structures differ in their atoms"):
        read_archive(
            write_archive(tmp_path / "2.tar.gz", {**files, "wb97xd3/rxn000003/p000003.log": swapped})
        )
    with pytest.raises(DataError, match="no logs named"):
        read_archive(write_archive(tmp_path / "3.tar.gz", {"a/r000001.log": "x"}))
    whole = write_archive(tmp_path / "4.tar.gz", files).read_bytes()
    (tmp_path / "5.tar.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"5\.tar\.gz: not a readable archive"):
        read_archive(tmp_path / "5.tar.gz")
    with pytest.raises(DataError, match="does not exist"):
        read_archive(tmp_path / "6.tar.gz")


def test_nothing_is_written_by_reading_an_archive(tmp_path):
    files = logs([inversion("rxn000003")])
    files["../../evil/rxn000004/r000004.log"] = log(np.array([1]), np.zeros((1, 3)))
    folder = tmp_path / "a" / "b" / "c"
    folder.mkdir(parents=True)
    read_archive(write_archive(folder / "archive.tar.gz", files))
    assert sorted(item.name for item in tmp_path.rglob("*")) == ["a", "archive.tar.gz", "b", "c"]
