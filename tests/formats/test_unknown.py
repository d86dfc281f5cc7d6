"""Files of no known format get a sentence on what they are, where that can be told."""

import numpy as np
import pytest

from hessbench.errors import DataError
from hessbench.formats.known import open_data
from tests.formats import writers

FORMS = {
    "without its mark": (lambda text: text.encode("utf-16-le"), "UTF-16 or UTF-32 without a mark"),
    "old Macintosh": (lambda text: text.replace("\n", "\r").encode(), "carriage returns alone"),
    "empty line": (lambda text: f"\n{text}".encode(), "begins with an empty line"),
    "plain XYZ": (lambda text: b"1\nan atom\nH 0 0 0\n", "no Properties="),
    "SQLite": (lambda text: b"SQLite format 3\0....", "a database of SQLite"),
    "ORCA": (lambda text: b"\n  *****************\n  * O   R   C   A *\n", r"name the \.hess file"),
    "parquet": (lambda text: b"PAR1....", "a parquet table"),
    "empty": (lambda text: b"", "the file is empty"),
    "something else": (lambda text: b"x;y\n1,5;2,5\n", "known are extended XYZ, "),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_file(computed, tmp_path, form):
    change, said = FORMS[form]
    writers.write_extxyz(tmp_path / "in", computed[:1])
    (tmp_path / "in").write_bytes(change((tmp_path / "in").read_text()))
    with pytest.raises(DataError, match=said):
        open_data(tmp_path / "in")


def test_an_array_of_numpy_and_directories(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros(3))
    with pytest.raises(DataError, match="an array of numpy"):
        open_data(tmp_path / "a.npy")
    (tmp_path / "set").mkdir()
    with pytest.raises(DataError, match="the directory is empty"):
        open_data(tmp_path / "set")
    (tmp_path / "set" / "a.txt").write_text("1")
    with pytest.raises(DataError, match=r"name a file in it, such as a\.txt"):
        open_data(tmp_path / "set")
