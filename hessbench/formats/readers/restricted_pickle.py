"""Decode pickled records of arrays and tensors without running anything that the pickle says.

The interpreter of pickle_machine.py makes plain values; the stand-ins below make arrays out of bytes and hold
dictionaries. They check the types of all that they are given, are made anew for each record, and take a state
once. Neither torch nor torch_geometric is needed, and none of their code runs (torch's own `_load_from_bytes`
would unpickle freely).
"""

import io
import pickle
import re
import struct
from typing import Any

import numpy as np

from hessbench.formats.readers.pickle_machine import Budget, Call, Machine, Name, RefusedError, StandIn
from hessbench.system.reading import reason

_LEGACY_MAGIC = pickle.dumps(0x1950A86A20F9469CFC6C, 2)
"""First pickle in a tensor storage that torch pickles on its own: 80 bits, where a record has 64 at most."""
_LEGACY_VERSION = 1001
_LEGACY_MACHINE = pickle.dumps(_LEGACY_VERSION, 2) + pickle.dumps(
    {
        "protocol_version": _LEGACY_VERSION,
        "little_endian": True,
        "type_sizes": {"short": 2, "int": 4, "long": 4},
    },
    2,
)
"""Next two: version and machine, of which nothing is used; on most machines these bytes."""
GROWTH = 8
"""Arrays of a record may hold so many times its bytes, as tensors can share a storage; and `SPARE` more."""
SPARE = 1_000_000
DEEPEST = 20
"""Levels of containers in a record."""
MOST_VALUES = 100_000
"""Values of a record, those in a container that stands in it twice counted twice."""
MOST_AXES = 32


def decode_record(data: bytes) -> Any:
    """Decode a pickled object that consists of arrays, tensors, plain values and records of these.

    Parameters
    ----------
    data
        The pickle.

    Returns
    -------
    object
        Tensors as numpy arrays; torch_geometric `Data` and the like as dictionaries.

    Raises
    ------
    pickle.UnpicklingError
        The pickle names anything else, e.g. a function, is damaged, or makes much more of
        itself than plain data do.
    """
    budget = Budget(GROWTH * len(data) + SPARE)
    try:
        return _Plain(MOST_VALUES).of(_machine(budget, {**_CALLS, **_OUTER_CALLS}).run(io.BytesIO(data)))
    except RefusedError as error:
        raise pickle.UnpicklingError(str(error)) from None
    except Exception as error:  # of pickletools and numpy, at damage of any kind
        raise pickle.UnpicklingError(f"damaged ({type(error).__name__}: {reason(error)})") from error


def _machine(budget: Budget, calls: dict[Name, Call]) -> Machine:
    return Machine(calls, _OBJECTS, _NAMES, _storage_of, budget)


def _need(condition: bool, what: str) -> None:
    if not condition:
        raise RefusedError(f"it has {what}")


def _whole(*values: Any) -> bool:
    return all(type(value) is int for value in values)


def _extents(value: Any, what: str) -> tuple[int, ...]:
    extents = (value,) if type(value) is int else value
    _need(type(extents) in (tuple, list) and len(extents) <= MOST_AXES and _whole(*extents), what)
    return tuple(extents)


class _Array(StandIn):
    """A numpy array while it is being decoded."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.value: np.ndarray | None = None

    def build(self, state: Any) -> None:
        _need(self.value is None and type(state) is tuple and len(state) == 5, "an array of an unknown form")
        _, shape, dtype, fortran, data = state
        self.value = _numbers(self.budget, data, dtype, shape, "F" if fortran is True else "C")


class _DType(StandIn):
    """A numpy element type: plain numbers only."""

    def __init__(self, code: Any) -> None:
        if type(code) is not str or not re.fullmatch(r"[<>|=]?[biuf]\d", code):
            raise RefusedError(f"it has arrays of type {str(code)[:20]!r}, not of numbers")
        self.dtype = np.dtype(code)
        self.built = False

    def build(self, state: Any) -> None:
        _need(
            not self.built
            and type(state) is tuple
            and 2 <= len(state) <= 9
            and state[1] in ("<", ">", "|", "="),
            "an element type of an unknown form",
        )
        self.built = True
        if state[1] in ("<", ">"):
            self.dtype = self.dtype.newbyteorder(state[1])


class _Record(StandIn):
    """Any object of torch_geometric: its attributes."""

    def __init__(self) -> None:
        self.state: dict[str, Any] | None = None

    def build(self, state: Any) -> None:
        _need(self.state is None and type(state) is dict, "a record that is no dictionary")
        self.state = state


class _Storage(StandIn):
    """Type and length of a storage; its numbers follow the pickle."""

    def __init__(self, dtype: np.dtype, numel: int) -> None:
        self.dtype, self.numel = dtype, numel


class _Numbers(StandIn):
    """Numbers of a storage."""

    def __init__(self, value: np.ndarray) -> None:
        self.value = value


def _storage_of(identifier: Any) -> _Storage:
    """Element type and length of the storage that follows a pickle in a `_load_from_bytes`."""
    _need(type(identifier) is tuple and len(identifier) >= 5, "something persistent that is no storage")
    kind, element, _, _, numel = identifier[:5]
    _need(
        kind == "storage" and type(element) is Name and element in _STORAGES and _whole(numel) and numel >= 0,
        "something persistent that is no storage",
    )
    return _Storage(np.dtype(_STORAGES[element]), numel)


def _numbers(budget: Budget, data: Any, dtype: Any, shape: Any, order: str = "C") -> np.ndarray:
    _need(type(data) is bytes and type(dtype) is _DType, "an array that is not made of bytes and a type")
    budget.spend(len(data))
    return np.frombuffer(data, dtype.dtype).reshape(_extents(shape, "an array of no shape"), order=order)  # type: ignore[call-overload]


def _array(budget: Budget, kind: Any, shape: Any, code: Any) -> _Array:
    _need(kind == Name("numpy", "ndarray"), "an array of another class")
    return _Array(budget)


def _array_of_buffer(budget: Budget, data: Any, dtype: Any, shape: Any, order: Any) -> _Array:
    _need(order in ("C", "F"), "an array of no order")
    array = _Array(budget)
    array.value = _numbers(budget, data, dtype, shape, order)
    return array


def _scalar(budget: Budget, dtype: Any, data: Any) -> Any:
    _need(
        type(dtype) is _DType and type(data) is bytes and len(data) == dtype.dtype.itemsize, "a broken number"
    )
    return np.frombuffer(data, dtype.dtype)[0].item()


def _element_type(budget: Budget, code: Any, *_: Any) -> _DType:
    return _DType(code)


def _latin1(budget: Budget, text: Any, encoding: Any) -> bytes:
    """_codecs.encode, by which old pickles write bytes."""
    _need(type(text) is str and encoding == "latin1", "an encoding other than of bytes")
    budget.spend(len(text))
    return bytes(text.encode("latin1"))


def _no_bytes(budget: Budget) -> bytes:
    """bytes(), by which old pickles write none."""
    return b""


def _dictionary(budget: Budget, *pairs: Any) -> dict[str, Any]:
    """OrderedDict, empty or of a list of pairs."""
    if not pairs:
        return {}
    _need(len(pairs) == 1 and type(pairs[0]) is list, "a dictionary of an unknown form")
    budget.spend(100 * len(pairs[0]))
    for pair in pairs[0]:
        _need(type(pair) in (tuple, list) and len(pair) == 2 and type(pair[0]) is str, "a broken dictionary")
    return dict(pairs[0])


def _size(budget: Budget, extents: Any) -> tuple[int, ...]:
    return _extents(extents, "a tensor of no size")


def _load_from_bytes(budget: Budget, data: Any) -> _Numbers:
    """Numbers of a storage that torch pickled on its own: five pickles, the length, the numbers."""
    _need(type(data) is bytes, "a storage that is not made of bytes")
    budget.spend(len(data))
    stream = io.BytesIO(data)
    _need(stream.read(len(_LEGACY_MAGIC)) == _LEGACY_MAGIC, "a tensor storage of an unknown form")
    machine = _machine(budget, _CALLS)
    if data.startswith(_LEGACY_MACHINE, stream.tell()):
        stream.seek(len(_LEGACY_MACHINE), io.SEEK_CUR)
    else:
        version, _ = machine.run(stream), machine.run(stream)
        _need(version == _LEGACY_VERSION, "a tensor storage of an unknown form")
    storage, _ = machine.run(stream), machine.run(stream)
    _need(type(storage) is _Storage, "a tensor storage of an unknown form")
    (numel,) = struct.unpack("<q", stream.read(8))
    _need(numel == storage.numel, f"a storage of {storage.numel} numbers that announces {numel}")
    return _Numbers(np.frombuffer(data, storage.dtype, count=numel, offset=stream.tell()))


def _tensor(budget: Budget, storage: Any, offset: Any, size: Any, stride: Any, *_: Any) -> _Array:
    _need(type(storage) is _Numbers and _whole(offset), "a tensor without a storage")
    numbers = storage.value
    size, stride = _extents(size, "a tensor of no size"), _extents(stride, "a tensor of no stride")
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    empty = 0 in size
    if min((offset, *size, *stride)) < 0 or (
        not empty and (last >= len(numbers) or _count(size) > len(numbers))
    ):
        raise RefusedError("it has a tensor that reaches beyond its storage")
    array = _Array(budget)
    if empty:
        array.value = np.zeros(tuple(min(extent, 1) if extent else 0 for extent in size), numbers.dtype)
        array.value = array.value.reshape(size)
        return array
    budget.spend(_count(size) * numbers.itemsize)
    steps = tuple(step * numbers.itemsize for step in stride)
    array.value = np.ndarray(size, numbers.dtype, numbers, offset * numbers.itemsize, steps).copy()
    return array


def _count(size: tuple[int, ...]) -> int:
    product = 1
    for extent in size:
        product *= extent
    return product


class _Plain:
    """Replaces stand-ins by arrays and dictionaries, in at most so many values."""

    def __init__(self, left: int) -> None:
        self.left = left

    def of(self, value: Any, depth: int = 0) -> Any:
        self.left -= 1
        if depth > DEEPEST or self.left < 0:
            raise RefusedError("it is nested too deeply, or into itself")
        if type(value) is _Array and value.value is not None:
            return value.value
        if type(value) is _Record and value.state is not None:
            # A Data object keeps its attributes in a storage, which refers back to it as _parent.
            store = value.state.get("_store", value)
            state = store.state if type(store) is _Record and store.state is not None else value.state
            return self.of(state.get("_mapping", state), depth + 1)
        if type(value) is dict:
            return {key: self.of(item, depth + 1) for key, item in value.items() if key != "_parent"}
        if type(value) in (list, tuple):
            return [self.of(item, depth + 1) for item in value]
        if value is None or type(value) in (bool, int, float, str, bytes):
            return value
        raise RefusedError(f"it holds a {type(value).__name__.removeprefix('_')}")


_STORAGES = {
    Name("torch", f"{name}Storage"): code
    for name, code in (
        ("Double", "<f8"), ("Float", "<f4"), ("Half", "<f2"), ("Long", "<i8"), ("Int", "<i4"),
        ("Short", "<i2"), ("Char", "i1"), ("Byte", "u1"), ("Bool", "?"),
    )
}  # fmt: skip
_CALLS: dict[Name, Call] = {
    Name("collections", "OrderedDict"): _dictionary,
    Name("_codecs", "encode"): _latin1,
    Name("__builtin__", "bytes"): _no_bytes,
    Name("torch", "Size"): _size,
    Name("numpy", "dtype"): _element_type,
    **{
        Name(f"numpy.{core}.{module}", name): function
        for core in ("core", "_core")
        for module, name, function in (
            ("multiarray", "_reconstruct", _array),
            ("multiarray", "scalar", _scalar),
            ("numeric", "_frombuffer", _array_of_buffer),
        )
    },
}
"""What a record may call."""
_OUTER_CALLS: dict[Name, Call] = {
    Name("torch._utils", "_rebuild_tensor_v2"): _tensor,
    Name("torch.storage", "_load_from_bytes"): _load_from_bytes,
}
"""What it may call besides, but no storage inside it."""
_OBJECTS: dict[Name, type[StandIn]] = {
    Name("torch_geometric.data.data", "Data"): _Record,
    Name("torch_geometric.data.storage", "GlobalStorage"): _Record,
}
_NAMES = frozenset(
    {
        *_STORAGES,
        Name("numpy", "ndarray"),
        Name("torch_geometric.data.data", "DataEdgeAttr"),
        Name("torch_geometric.data.data", "DataTensorAttr"),
    }
)
"""Classes that records mention without making an object of them."""
