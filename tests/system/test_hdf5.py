"""Arrays of HDF5 are those of the file itself and no larger than it, and no file is read without end."""

import errno
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest

from hessbench.errors import DataError
from hessbench.system import hdf5
from hessbench.system.hdf5 import member, members, opened, read_array


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
        file.create_dataset("nothing", data=h5py.Empty("f8"))
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
        ("nothing", "nothing is empty"),
    ],
)
def test_what_is_elsewhere_or_cannot_be_is_refused(file, name, said):
    with pytest.raises(DataError, match=said):
        read_array(file, name)


def test_no_member_lies_elsewhere(file):
    with pytest.raises(DataError, match="another file"):
        members(file)
    assert member(file, "right").shape == (3,)


def endless(path: Path) -> Path:
    """A file in which the list of a group's members leads back to itself."""
    with h5py.File(path, "w") as file:
        file["rxn000001/species"] = np.array([b"H", b"H"])
    content = bytearray(path.read_bytes())
    node = content.rindex(b"TREE")
    content[node + 16 : node + 24] = node.to_bytes(8, "little")  # the next node
    path.write_bytes(content)
    return path


linux = pytest.mark.skipif(sys.platform != "linux", reason="no trial elsewhere")


@linux
def test_a_file_that_is_read_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("hessbench.system.trial.SECONDS", 1.0)
    path = endless(tmp_path / "in.h5")
    with pytest.raises(DataError, match="takes more than 1 s"):
        opened(path)
    with pytest.raises(DataError, match="takes more than 1 s"):  # it did not pass
        opened(path)


@linux
def test_attributes_of_the_file_itself_are_tried_too(tmp_path, monkeypatch):
    monkeypatch.setattr("hessbench.system.trial.SECONDS", 1.0)
    path = tmp_path / "in.h5"
    with h5py.File(path, "w", libver=("v110", "v110")) as file:
        file.attrs["a"] = "some text"
        file.attrs["b"] = "some other text"
    content = bytearray(path.read_bytes())
    heap = content.index(b"GCOL")
    content[heap + 48 : heap + 86] = bytes(38)  # objects of no size: HDF5 goes on for ever
    path.write_bytes(content)
    with pytest.raises(DataError, match="takes more than 1 s"):
        opened(path)


IMPATIENT = """
import sys
from hessbench.cli import main
from hessbench.system import trial
trial.SECONDS = 1.0
main(sys.argv[1:])
"""


@linux
@pytest.mark.parametrize("command", ["split", "dataset"])
def test_no_command_reads_a_file_without_end(tmp_path, command):
    settings = (Path(__file__).parents[2] / "reproduce/profiles/ci.yaml").read_text(encoding="utf-8")
    (tmp_path / "params.yaml").write_text(settings.replace("source: embedded", "source: generated"))
    for folder in ("data/active", "data/generated"):
        (tmp_path / folder).mkdir(parents=True)
        endless(tmp_path / folder / "rtp.h5")
        for name in ("irc", "nms"):
            (tmp_path / folder / f"{name}.h5").touch()
    result = subprocess.run(
        [sys.executable, "-c", IMPATIENT, command],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    assert result.returncode == 2
    assert "rtp.h5: reading its" in result.stderr
    assert len(result.stderr.splitlines()) == 1


@linux
def test_a_piece_that_unpacks_to_more_than_it_claims_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("hessbench.system.trial.BYTES", 200_000_000)
    path = tmp_path / "in.h5"
    with h5py.File(path, "w") as file:
        dataset = file.create_dataset("x", (1000,), "f8", chunks=(1000,), compression=9)
        packed, part = zlib.compressobj(1), bytes(10_000_000)
        pieces = [packed.compress(part) for _ in range(30)]
        dataset.id.write_direct_chunk((0,), b"".join(pieces) + packed.flush())
    with pytest.raises(DataError, match="memory"):
        opened(path)


@linux
def test_a_text_that_claims_more_memory_than_allowed_is_refused(tmp_path):
    """HDF5 takes the memory before it sees that the text is not so long."""
    path = tmp_path / "long.h5"
    with h5py.File(path, "w") as file:
        file["names"] = ["one", "two"]
    content = bytearray(path.read_bytes())
    heap = struct.pack("<Q", content.index(b"GCOL"))
    length = content.index(heap) - 4  # of the first text, before the address of the heap that has it
    assert content[length : length + 4] == struct.pack("<I", 3)
    content[length + 2 : length + 4] = b"\xff\xff"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"long\.h5: reading it takes more than 800 MB of memory"):
        opened(path)


@linux
def test_what_is_never_read_does_not_count_and_what_passed_is_not_tried_again(tmp_path, file, monkeypatch):
    path = Path(file.filename)
    opened(path).close()
    monkeypatch.setattr(hdf5, "tried", lambda *_: pytest.fail("tried again"))
    opened(path).close()
    with pytest.raises(FileNotFoundError):
        opened(tmp_path / "none.h5")


FULL = """
import os, resource, sys
from pathlib import Path
import numpy as np
from hessbench.system.hdf5 import created

resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
try:
    with created(Path(sys.argv[1])) as file:
        for index in range(40):
            file[f"group-{index}/values"] = np.random.default_rng(index).random(100)
except OSError as error:
    sys.stdout.write(f"{error.errno} {error.filename or ''}")
    sys.stdout.flush()
    os._exit(0)
os._exit(1)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits of file sizes")
@pytest.mark.parametrize("size", [100, 3000, 20_000, 40_000])
def test_a_file_that_does_not_fit_is_an_error_of_the_system(tmp_path, size) -> None:
    command = [sys.executable, "-c", FULL, str(tmp_path / "a.h5"), str(size)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith(f"{errno.EFBIG} ")


LARGE = """
import resource, sys
from pathlib import Path
import numpy as np
from hessbench.system.hdf5 import created

before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with created(Path(sys.argv[1])) as file:
    values = file.create_dataset("values", (0, 1000), "f8", maxshape=(None, 1000), chunks=(100, 1000))
    for index in range(200):
        values.resize(len(values) + 100, axis=0)
        values[-100:] = np.full((100, 1000), float(index))
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1000)
"""


@linux
def test_a_large_file_is_not_held_in_memory(tmp_path) -> None:
    command = [sys.executable, "-c", LARGE, str(tmp_path / "a.h5")]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (tmp_path / "a.h5").stat().st_size > 160_000_000
    assert int(result.stdout) < 80  # MB
    with h5py.File(tmp_path / "a.h5") as file:
        assert (file["values"][:, 0] == np.repeat(np.arange(200.0), 100)).all()
