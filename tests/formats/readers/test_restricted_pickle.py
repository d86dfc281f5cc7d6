"""Pickles of arrays and tensors are decoded; nothing that a pickle says is run."""

import os
import pickle
from collections import OrderedDict
from contextlib import suppress

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hessbench.formats.readers.restricted_pickle import decode_record
from tests.formats.writers import torch_geometric_stand_in

PROTOCOLS = [2, 3, 4, 5]


def assert_equal(found, expected) -> None:
    expected = expected.numpy() if isinstance(expected, torch.Tensor) else np.asarray(expected)
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("dtype", ["<f8", "<f4", "<f2", "<i8", "<i4", "<u1", "?", ">f8"])
def test_numpy_arrays(protocol, dtype):
    for array in (np.arange(12).reshape(3, 4).astype(dtype), np.zeros((0, 3), dtype), np.array(1, dtype)):
        assert_equal(decode_record(pickle.dumps(array, protocol)), array)
    fortran = np.asfortranarray(np.arange(12).reshape(3, 4).astype(dtype))
    assert_equal(decode_record(pickle.dumps(fortran, protocol)), fortran)


def test_byte_order_of_numpy_itself_is_left_alone():
    decode_record(pickle.dumps(np.arange(3, dtype=">f8")))
    assert np.dtype("f8").isnative


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "dtype", [torch.float64, torch.float32, torch.float16, torch.int64, torch.int32, torch.bool]
)
def test_tensors(protocol, dtype):
    whole = torch.arange(24).reshape(2, 3, 4).to(dtype)
    for tensor in (whole, whole[1], whole.transpose(0, 2), whole[:, 1:, ::2], whole[0, 0, 0], whole[:0]):
        assert_equal(decode_record(pickle.dumps(tensor, protocol)), tensor)


def test_plain_values_and_records():
    values = {
        "pos": torch.ones(2, 3),
        "rxn": "rxn1",
        "n": 3,
        "x": 1.5,
        "flag": True,
        "none": None,
        "list": [1, (2,)],
    }
    with torch_geometric_stand_in() as module:
        record = decode_record(pickle.dumps(module.Data(**values)))
    assert set(record) == set(values)
    assert_equal(record["pos"], values["pos"])
    assert record["list"] == [1, [2]]
    assert decode_record(pickle.dumps(OrderedDict(a=np.float64(2.5)))) == {"a": 2.5}


class Call:
    def __init__(self, function, *arguments) -> None:
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    "call",
    [
        Call(os.system, "true"), Call(eval, "1"), Call(exec, "1"), Call(getattr, 1, "real"),
        Call(open, "/dev/null"), Call(torch.load, "/dev/null"), Call(np.load, "/dev/null"),
        Call(pickle.loads, b""), Call(__import__, "os"), Call(bytearray, 10), Call(torch.nn.Module),
    ],
)  # fmt: skip
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_any_other_name_is_refused(call, protocol):
    for value in (call, {"pos": call}, [np.ones(2), call]):
        with pytest.raises(pickle.UnpicklingError, match=r"it wants .*, which is neither array nor tensor"):
            decode_record(pickle.dumps(value, protocol))


def test_code_hidden_in_a_tensor_storage_is_refused():
    # torch.storage._load_from_bytes, called for real, would run this.
    hidden = pickle.dumps(Call(os.system, "true"))
    with pytest.raises(pickle.UnpicklingError, match="storage of an unknown form"):
        decode_record(pickle.dumps(Call(torch.storage._load_from_bytes, hidden)))
    whole = _storage(torch.arange(4.0))
    magic = whole[: whole.index(pickle.STOP) + 1]
    with pytest.raises(pickle.UnpicklingError, match=r"it wants (posix|nt)\.system"):
        decode_record(pickle.dumps(Call(torch.storage._load_from_bytes, magic + hidden)))


def global_of(name: str) -> bytes:
    module, _, attribute = name.rpartition(".")
    return f"c{module}\n{attribute}\n".encode()


DATA = global_of("torch_geometric.data.data.Data")
DTYPE = global_of("numpy.dtype") + b"(X\x02\x00\x00\x00f8\x89\x88tR"
LAUGHS = b"]q\x00" + b"".join(b"](" + 10 * (b"h" + bytes([i])) + b"eq" + bytes([i + 1]) for i in range(12))


@pytest.mark.parametrize(
    ("program", "said"),
    [
        # a state for something that other records share, from which the next tensor would be made
        (global_of("torch.FloatStorage") + b"}X\x01\x00\x00\x00aK\x01sb.", "it gives a state to a Name"),
        (global_of("torch.Size") + b"}b.", "it gives a state to a Name"),
        (DTYPE + 2 * b"(K\x03X\x01\x00\x00\x00<NNNtb" + b".", "an element type of an unknown form"),
        (DATA + b")\x81}b}b.", "it has a record that is no dictionary"),
        (DATA + b"(K\x01t\x81.", "makes an object of torch_geometric"),
        (DATA + b")R.", "it calls torch_geometric"),
        (global_of("numpy.ndarray") + b")\x81.", "it makes an object of numpy.ndarray"),
        (b"K\x01)R.", "it calls something that is no name"),
        (global_of("torch.Size") + b"K\x01R.", "with something that are no arguments"),
        (global_of("torch.Size") + b"X\x01\x00\x00\x00a\x85R.", "it has a tensor of no size"),
        (global_of("torch._utils._rebuild_tensor_v2") + b"(]K\x00))tR.", "it has a tensor without a storage"),
        (global_of("numpy._core.multiarray.scalar") + b"(NNtR.", "it has a broken number"),
        (global_of("numpy._core.numeric._frombuffer") + b"(NNNX\x01\x00\x00\x00CtR.", "not made of bytes"),
        (b"\x80\x02Nr\x00\x00\x00\x10.", None),  # a memo slot that is far away takes no memory
        (b"p999999999999999999999\n.", "damaged|memo slot"),
        (b"Np999999999999999999999\n.", "memo slot"),
        (b"\x8e" + b"\xff" * 8 + b".", "damaged"),  # BINBYTES8 of 2^64 bytes
        (b"\x8a\xff" + b"\x7f" * 255 + b".", "whole number of 2039 bits"),
        (b"}K\x01K\x02s.", "keys are no text"),
        (b"]q\x00h\x00a.", "into itself"),
        (LAUGHS + b".", "into itself"),
        (b"]" * 30 + b"a" * 29 + b".", "nested too deeply"),
        (b"\x95" + b"\x00" * 8 + b"\x94.", "damaged"),
        (b"Nb.", "damaged|state"),
        (b"(.", "damaged"),
        (b"\x8f.", "opcode EMPTY_SET"),
        (b"(i" + b"os\nsystem\n.", "opcode INST"),
        (b"\x82\x01.", "opcode EXT1"),
    ],
)
def test_programs_that_no_writer_of_plain_data_makes(program, said):
    if said is None:
        assert decode_record(program) is None
        return
    with pytest.raises(pickle.UnpicklingError, match=said):
        decode_record(program)


def test_a_record_makes_few_times_its_size_of_itself():
    storage = Call(torch.storage._load_from_bytes, _storage(torch.zeros(100_000)))
    arguments = (0, (100_000,), (1,), False, OrderedDict())
    many = [Call(torch._utils._rebuild_tensor_v2, storage, *arguments) for _ in range(1000)]
    with pytest.raises(pickle.UnpicklingError, match="many times its own size"):
        decode_record(pickle.dumps(many))


def test_nothing_of_a_record_is_left_for_the_next():
    hostile = DATA + b")\x81}X\x03\x00\x00\x00posK\x01sb."
    with torch_geometric_stand_in() as module:
        right = pickle.dumps(module.Data(energy=1.0))
    for data in (hostile, right, hostile, right):
        assert decode_record(data) == ({"pos": 1} if data is hostile else {"energy": 1.0})


@pytest.mark.parametrize(
    ("offset", "size", "stride"),
    [(0, (5,), (1,)), (2, (3,), (1,)), (-1, (1,), (1,)), (0, (9,), (0,)), (0, (2,), (-1,))],
)
def test_tensors_beyond_their_storage_are_refused(offset, size, stride):
    storage = Call(torch.storage._load_from_bytes, _storage(torch.arange(4.0)))
    tensor = Call(torch._utils._rebuild_tensor_v2, storage, offset, size, stride, False, OrderedDict())
    with pytest.raises(pickle.UnpicklingError, match="reaches beyond its storage"):
        decode_record(pickle.dumps(tensor))


def test_arrays_of_objects_are_refused():
    with pytest.raises(pickle.UnpicklingError, match="not of numbers"):
        decode_record(pickle.dumps(np.array([{}, []], dtype=object)))


RECORD = pickle.dumps({"pos": torch.ones(2, 3), "x": np.arange(5.0)})


@settings(max_examples=300, deadline=None)
@given(position=st.integers(0, len(RECORD) - 1), value=st.integers(0, 255), cut=st.integers(0, len(RECORD)))
def test_damage_is_an_error_of_one_kind(position, value, cut):
    damaged = bytearray(RECORD)
    damaged[position] = value
    for data in (bytes(damaged), RECORD[:cut]):
        with suppress(pickle.UnpicklingError):
            decode_record(data)


def _storage(tensor: torch.Tensor) -> bytes:
    return tensor.storage().__reduce__()[1][0]
