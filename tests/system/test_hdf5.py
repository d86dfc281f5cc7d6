"""Arrays of HDF5 are those of the file itself, and no larger than it."""

import h5py
import numpy as np
import pytest

from hessbench.errors import DataError
from hessbench.system.hdf5 import member, members, read_array


@pytest.fixture
def file(tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["secret"] = np.arange(3.0)
        other.create_group("group")["secret"] = np.arange(3.0)
    (tmp_path / "raw").write_bytes(np.arange(3.0).tobytes())
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["right"] = np.arange(3.0)
        file.create_group("group")
        file["texts"] = ["H", "Cl"]
        file.create_dataset("zeros", data=np.zeros(100_000), compression=9)
        file["soft"] = h5py.SoftLink("/right")
        file["link"] = h5py.ExternalLink("other.h5", "/secret")
        file["around"] = h5py.ExternalLink("other.h5", "/group")
        file["soft link"] = h5py.SoftLink("/around/secret")
        file.create_dataset("external", (3,), "f8", external=[(str(tmp_path / "raw"), 0, 24)])
        layout = h5py.VirtualLayout((3,), "f8")
        layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "secret", (3,))
        file.create_virtual_dataset("virtual", layout)
        file.create_dataset("huge", (10**12,), "f8", chunks=(1000,))
        file.create_dataset("chunk", (10,), "f8", maxshape=(None,), chunks=(10**8,))
        file.create_dataset("dense", data=np.zeros(10_000_000), compression=9, chunks=(10_000_000,))
        file.create_dataset("many", (10**6,), h5py.string_dtype())
        file.create_dataset("ragged", (2,), h5py.vlen_dtype("f8"))
    with h5py.File(tmp_path / "in.h5") as file:
        yield file


def test_what_is_right_is_read(file):
    for name in ("right", "soft"):
        assert read_array(file, name).tolist() == [0, 1, 2]
    assert read_array(file, "texts").tolist() == [b"H", b"Cl"]
    assert not read_array(file, "zeros").any()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("link", "link is a link to another file"),
        ("soft link", "soft link lies in another file"),
        ("external", "external keeps its numbers in other files"),
        ("virtual", "virtual keeps its numbers in other files"),
        ("huge", "huge claims 8000000000000 bytes, of which the file of .* holds 0"),
        ("chunk", "chunk claims 800000000 bytes"),
        ("dense", "dense claims 80000000 bytes"),
        ("many", "many is neither numbers nor at most 10000 texts"),
        ("ragged", "ragged is neither numbers"),
        ("group", "group is no array"),
    ],
)
def test_what_is_elsewhere_or_cannot_be_is_refused(file, name, said):
    with pytest.raises(DataError, match=said):
        read_array(file, name)


def test_no_member_lies_elsewhere(file):
    with pytest.raises(DataError, match="another file"):
        members(file)
    assert member(file, "right").shape == (3,)
