"""Compressed files and those with a byte order mark are read as they were; archives get one sentence."""

import bz2
import gzip
import lzma
import tarfile
import zipfile

import numpy as np
import pytest

from hessbench.errors import DataError
from hessbench.formats.known import open_data
from tests.formats import writers

FORMS = {
    "gz": gzip.compress,
    "xz": lzma.compress,
    "bz2": bz2.compress,
    "byte order mark": lambda data: b"\xef\xbb\xbf" + data,
    "line ends of Windows": lambda data: data.replace(b"\n", b"\r\n"),
    "UTF-32": lambda data: data.decode().encode("utf-32"),
    "Notepad": lambda data: data.decode().replace("\n", "\r\n").encode("utf-16"),
    "compressed on Windows": lambda data: gzip.compress(b"\xef\xbb\xbf" + data.replace(b"\n", b"\r\n")),
}
WRITERS = {
    "extended XYZ": lambda path, data: writers.write_extxyz(path, data[:1]),
    "fchk": lambda path, data: writers.write_fchk(path, data[0], 0),
    "log": lambda path, data: writers.write_gaussian_log(path, data[0]),
    "Q-Chem": lambda path, data: writers.write_qchem(path, data[0], 0),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("writer", WRITERS)
def test_it_is_read_as_if_it_were_plain(computed, tmp_path, form, writer):
    WRITERS[writer](tmp_path / "set.txt", computed)
    with open_data(tmp_path / "set.txt") as source:
        expected = [source.load(name) for name in source.names]
    packed = tmp_path / "set.txt.packed"
    packed.write_bytes(FORMS[form]((tmp_path / "set.txt").read_bytes()))
    with open_data(packed) as source:
        assert source.path == packed
        found = [source.load(name) for name in source.names]
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        for key in ("numbers", "coordinates", "energies", "forces"):
            np.testing.assert_array_equal(getattr(one, key), getattr(other, key))


def test_lmdb_and_hdf5_are_decompressed_and_kept_while_open(computed, tmp_path):
    writers.write_lmdb(tmp_path / "a", writers.horm_records(computed))
    writers.write_openreact(tmp_path / "b", computed)
    for name in ("a", "b"):
        packed = tmp_path / f"{name}.gz"
        packed.write_bytes(gzip.compress((tmp_path / name).read_bytes(), 1))
        with open_data(packed) as source:
            assert sum(len(item) for item in source) == 9


def test_archives_get_one_sentence(computed, tmp_path):
    writers.write_extxyz(tmp_path / "in.xyz", computed)
    with tarfile.open(tmp_path / "in.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "in.xyz", "in.xyz")
    with tarfile.open(tmp_path / "in.tar", "w") as archive:
        archive.add(tmp_path / "in.xyz", "in.xyz")
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        archive.write(tmp_path / "in.xyz", "in.xyz")
    (tmp_path / "in.zst").write_bytes(b"\x28\xb5\x2f\xfd" + bytes(100))
    for suffix in ("tar.gz", "tar", "zip", "zst"):
        with pytest.raises(DataError, match=rf"in\.{suffix}: .*(unpack it|decompress it) first") as error:
            open_data(tmp_path / f"in.{suffix}")
        assert "\n" not in str(error.value)


def test_damaged_and_inflating_files_are_refused_under_their_own_name(computed, tmp_path):
    writers.write_extxyz(tmp_path / "in.xyz", computed)
    data = gzip.compress((tmp_path / "in.xyz").read_bytes())
    (tmp_path / "in.gz").write_bytes(data[: len(data) // 2])
    with pytest.raises(DataError, match=r"in\.gz: damaged or truncated compressed file"):
        open_data(tmp_path / "in.gz")
    (tmp_path / "in.gz").write_bytes(gzip.compress(bytes(2**27 + 2**21), 1))
    with pytest.raises(DataError, match=r"in\.gz: more than .* bytes when decompressed"):
        open_data(tmp_path / "in.gz")
    (tmp_path / "in.gz").write_bytes(gzip.compress(b"hello"))
    with pytest.raises(DataError, match=r"in\.gz: of no known format"):
        open_data(tmp_path / "in.gz")
