"""Any exception of a library becomes one sentence; faults of the machine and interrupts do not."""

import errno
import pickle

import pytest

from hessbench.config.base import read_yaml
from hessbench.errors import ConfigurationError, DataError
from hessbench.system.reading import LONGEST, reading


class PanicException(BaseException):
    """As libraries in Rust raise it."""


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (KeyError("x"), "is no table ('x' is missing); make it anew."),
        (AssertionError(), "is no table (AssertionError); make it anew."),
        (RecursionError("too\n deep."), "is no table (too deep); make it anew."),
        (PanicException("out of range"), "is no table (out of range); make it anew."),
        (ValueError("\x1b[2J" + "a" * 999), f"is no table (?[2J{'a' * (LONGEST - 7)}...); make it anew."),
        (OSError(errno.ENOSPC, "full"), "No space left on device."),
        (PermissionError(errno.EACCES, "no"), "Permission denied."),
        (MemoryError(), "reading it takes more memory than there is."),
        (FileNotFoundError(errno.ENOENT, "gone"), "the file does not exist."),
    ],
)
def test_one_sentence(tmp_path, raised, said):
    path = tmp_path / "table"
    with pytest.raises(DataError) as caught, reading(path, "is no table", "make it anew"):
        raise raised
    assert str(caught.value) == f"{path}: {said}"


def test_errors_of_ours_and_interrupts_pass(tmp_path):
    with pytest.raises(KeyboardInterrupt), reading(tmp_path):
        raise KeyboardInterrupt
    with pytest.raises(ConfigurationError, match="as it is"), reading(tmp_path):
        raise ConfigurationError("as it is")


def test_errors_travel_between_processes():
    error = pickle.loads(pickle.dumps(DataError("in.h5", "damaged.", "rxn000001")))
    assert (str(error), error.reaction) == ("in.h5, reaction rxn000001: damaged.", "rxn000001")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("# \xe9".encode("latin-1"), "not valid YAML .*; save it as UTF-8"),
        (b"a: 2026-13-45", "not valid YAML"),
        (b"a: [1,\nb: }", ", line 2: not valid YAML"),
        (b"[" * 1500, "not valid YAML .*recursion"),
        (b"? [a]\n: 1", "line 1: not valid YAML .*unhashable"),
        (b"a: 1\nb: {c: 1, c: 2}", "line 2: c is given twice"),
        (b"a: &a [*a]", "aliases make more than 100000 values"),
        (
            b"a0: &a0 [x, x]\n"
            + b"".join(b"a%d: &a%d [*a%d, *a%d]\n" % (i, i, i - 1, i - 1) for i in range(1, 40)),
            "aliases make more than 100000 values",
        ),
        (b"a: " + b"9" * 5000, "not valid YAML"),
        (b"a: 1\x00", "not valid YAML"),
        (b" " * 2_000_000, "larger than 1000000 bytes"),
        (b"- a", "expected a mapping of sections"),
    ],
)
def test_settings_that_are_no_yaml(tmp_path, content, said):
    path = tmp_path / "params.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=said):
        read_yaml(path)
