"""A bit that changed in a sealed file is noticed, or changed nothing but the seal's own words."""

import numpy as np
import pytest

from hessbench.system.seal import BLANK, BrokenSealError, check_seal, read_sealed, seal, write_sealed

CONTENT = np.random.default_rng(0).bytes(200)


def test_what_was_written_is_read(tmp_path):
    write_sealed(tmp_path / "in", lambda file: file.write(CONTENT))
    assert read_sealed(tmp_path / "in") == CONTENT
    # a seal inside the content is not the file's own
    write_sealed(tmp_path / "out", lambda file: file.write(seal(CONTENT + BLANK) + CONTENT))
    assert read_sealed(tmp_path / "out") == seal(CONTENT + BLANK) + CONTENT


def test_every_flipped_bit(tmp_path):
    write_sealed(tmp_path / "in", lambda file: file.write(CONTENT))
    whole = (tmp_path / "in").read_bytes()
    for bit in range(8 * len(whole)):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        (tmp_path / "in").write_bytes(damaged)
        with pytest.raises(BrokenSealError):
            read_sealed(tmp_path / "in")


def test_every_cut(tmp_path):
    write_sealed(tmp_path / "in", lambda file: file.write(CONTENT))
    whole = (tmp_path / "in").read_bytes()
    for end in range(len(whole)):
        (tmp_path / "in").write_bytes(whole[:end])
        with pytest.raises(BrokenSealError):
            read_sealed(tmp_path / "in")


def test_bytes_without_a_seal():
    check_seal(CONTENT)
    with pytest.raises(BrokenSealError, match="is missing"):
        check_seal(CONTENT, needed=True)
