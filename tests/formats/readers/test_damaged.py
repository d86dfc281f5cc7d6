"""Damage that made a reader hang, crash or give less than the file holds: one sentence each."""

import re
import time

import h5py
import lmdb
import numpy as np
import pytest

from hessbench.data.layout import Metadata, write_reactions
from hessbench.formats.inspect import inspect_data
from tests.formats import writers
from tests.formats.readers.test_refusals import refusal


@pytest.mark.parametrize("count", ["41", "999999999", "99999999999999999999", "-3", "4.0"])
def test_a_count_of_a_later_frame(computed, tmp_path, count):
    path = tmp_path / "in.extxyz"
    writers.write_extxyz(path, computed)
    place = [match.start() for match in re.finditer(rb"(?m)^\d+$", path.read_bytes())][-1]
    content = path.read_bytes()
    path.write_bytes(content[:place] + count.encode() + content[content.index(b"\n", place) :])
    start = time.perf_counter()
    assert re.search("frame 8 (claims|begins)", refusal(path))
    assert time.perf_counter() - start < 2


def test_an_offset_of_arrow(computed, tmp_path):
    writers.write_hessian_qm9(tmp_path / "in", computed, ("vacuum",))
    (path,) = (tmp_path / "in").rglob("*.arrow")
    content = bytearray(path.read_bytes())
    offsets = np.array([0, 4, 8], dtype="<i4").tobytes()
    place = content.index(offsets)
    content[place + 7] = 0xEE
    path.write_bytes(content)
    assert "damaged or truncated Arrow stream" in refusal(tmp_path / "in")


def test_pages_of_an_lmdb(computed, tmp_path):
    """Any byte of the tree's pages: read, or refused, and this process lives."""
    path = tmp_path / "in.lmdb"
    writers.write_lmdb(path, writers.horm_records(computed))
    whole = path.read_bytes()
    page = lmdb.open(str(path), subdir=False, readonly=True, lock=False).stat()["psize"]
    random = np.random.default_rng(0)
    refused = 0
    for place in [2 * page + 18, 2 * page + 20, *random.integers(2 * page, 3 * page, 5).tolist()]:
        damaged = bytearray(whole)
        damaged[place] ^= 0xFF
        path.write_bytes(damaged)
        try:
            refused += bool(refusal(path))
        except pytest.fail.Exception:
            continue  # bytes that nothing uses
    assert refused


@pytest.mark.parametrize("ours", [True, False])
def test_a_reaction_that_is_listed_but_cannot_be_opened(computed, tmp_path, ours):
    path = tmp_path / "in.h5"
    if ours:
        write_reactions(path, computed, Metadata("n", "1", "l", "o", "l", "c", "g"))
    else:
        writers.write_openreact(path, computed)
    with h5py.File(path) as file:
        place = h5py.h5o.get_info(file["rxn000002"].id).addr
    content = bytearray(path.read_bytes())
    content[place] ^= 0x40
    path.write_bytes(content)
    assert "in.h5" in refusal(path)


def test_an_array_in_another_file(computed, tmp_path):
    path = tmp_path / "in.h5"
    writers.write_openreact(path, computed)
    (tmp_path / "other").write_bytes(bytes(800))
    with h5py.File(path, "r+") as file:
        shape = file["rxn000001/coordinates"].shape
        del file["rxn000001/coordinates"]
        elsewhere = [(str(tmp_path / "other"), 0, 800)]
        file.create_dataset("rxn000001/coordinates", shape, "f8", external=elsewhere)
    assert "coordinates keeps its numbers in other files" in refusal(path)


def test_fewer_forces_than_energies_are_named_wherever_the_file_is_read(computed, tmp_path):
    path = tmp_path / "in.h5"
    writers.write_transition1x(path, computed)
    with h5py.File(path, "r+") as file:
        group = next(iter(file["data"].values()))["rxn0000"]
        forces = group["wB97x_6-31G(d).forces"][:1]
        del group["wB97x_6-31G(d).forces"]
        group["wB97x_6-31G(d).forces"] = forces
    assert re.search(r"\d+ energies, but \d+ of forces", refusal(path))
    report = inspect_data(path)
    assert any("of forces" in problem for problem in report["problems"])


def test_what_no_rule_of_a_reader_foresees_is_a_sentence(computed, tmp_path):
    path = tmp_path / "in.fchk"
    writers.write_fchk(path, computed[0], 1)
    text = path.read_text()
    title = re.search(r"Current cartesian coordinates +R +N= +12", text)[0]
    path.write_text(text.replace(title, title[:-2] + " 0"))
    assert "cannot be read as Gaussian" in refusal(path)
