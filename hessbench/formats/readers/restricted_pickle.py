"""Decode pickled records of arrays and tensors without running anything that the pickle says.

A pickle is a program that may call any function. Here its calls end in the few stand-ins below, which build
numpy arrays from bytes and hold dictionaries; any other name is refused. Neither torch nor torch_geometric is
needed, and none of their code runs (torch's own `_load_from_bytes` would unpickle freely).
"""

import io
import pickle
import re
import struct
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np

_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
"""First object in a tensor storage that torch pickles on its own."""
_LEGACY_VERSION = 1001
_DAMAGED = (
    EOFError, ValueError, TypeError, AttributeError, IndexError, KeyError, OverflowError, struct.error,
    RecursionError,
)  # fmt: skip
"""What a damaged or made-up pickle makes an unpickler raise."""


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
        The pickle names anything else, e.g. a function, or is damaged.
    """
    try:
        return _plain(_Unpickler(io.BytesIO(data)).load())
    except _DAMAGED as error:
        raise pickle.UnpicklingError(f"damaged ({type(error).__name__}: {error})") from None


class _Unpickler(pickle.Unpickler):
    """Knows the names in `_ALLOWED` and no others."""

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(
                f"it wants {module}.{name}, which is neither array nor tensor"
            ) from None

    def persistent_load(self, identifier: Any) -> Any:
        """Return the element type of the storage that follows a pickle in a `_load_from_bytes`."""
        kind, element, _, _, numel = identifier[:5]
        if kind != "storage" or not isinstance(element, _Element):
            raise pickle.UnpicklingError("it refers to something that is no storage")
        return _Storage(element.dtype, int(numel))


class _Element:
    """Element type of a storage, such as torch.FloatStorage."""

    def __init__(self, dtype: str) -> None:
        self.dtype = np.dtype(dtype)


class _Storage:
    """Type and length of a storage; its numbers follow the pickle."""

    def __init__(self, dtype: np.dtype, numel: int) -> None:
        self.dtype, self.numel = dtype, numel


class _Array:
    """A numpy array while it is being decoded."""

    def __init__(self) -> None:
        self.value = np.empty(0)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, dtype, fortran, data = state
        self.value = _numbers(data, dtype.dtype, shape, "F" if fortran else "C")


class _DType:
    """A numpy element type: plain numbers only."""

    def __init__(self, code: str, align: bool = False, copy: bool = False) -> None:
        if not re.fullmatch(r"[<>|=]?[biuf]\d", code):
            raise pickle.UnpicklingError(f"it has arrays of type {code!r}, not of numbers")
        self.dtype = np.dtype(code)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        if state[1] in ("<", ">"):
            self.dtype = self.dtype.newbyteorder(state[1])


class _Record:
    """Any object of torch_geometric: its attributes."""

    def __init__(self) -> None:
        self.state: dict[Any, Any] = {}

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, dict):
            raise pickle.UnpicklingError("it has a record that is no dictionary")
        self.state = state


class _Type:
    """A class that records mention without making an object of it."""


def _numbers(data: Any, dtype: np.dtype, shape: Any, order: Any = "C") -> np.ndarray:
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    return np.frombuffer(data, dtype).reshape(shape, order=order)


def _array(kind: type, shape: tuple[int, ...], code: bytes) -> _Array:
    return _Array()


def _array_of_buffer(data: Any, dtype: _DType, shape: Any, order: str) -> _Array:
    array = _Array()
    array.value = _numbers(data, dtype.dtype, shape, order)
    return array


def _scalar(dtype: _DType, data: bytes) -> Any:
    return np.frombuffer(data, dtype.dtype)[0].item()


def _latin1(text: str, encoding: str) -> bytes:
    """_codecs.encode, by which old pickles write bytes."""
    return text.encode("latin1")


def _no_bytes() -> bytes:
    """bytes(), by which old pickles write none."""
    return b""


def _storage(data: bytes) -> np.ndarray:
    """Numbers of a storage that torch pickled on its own: five pickles, the length, the numbers."""
    stream = io.BytesIO(data)
    magic, version, _, storage, _ = (_Unpickler(stream).load() for _ in range(5))
    if magic != _LEGACY_MAGIC or version != _LEGACY_VERSION or not isinstance(storage, _Storage):
        raise pickle.UnpicklingError("it has a tensor storage of an unknown form")
    (numel,) = struct.unpack("<q", stream.read(8))
    if numel != storage.numel:
        raise pickle.UnpicklingError(f"a storage of {storage.numel} numbers announces {numel}")
    return np.frombuffer(stream.read(), storage.dtype, count=numel)


def _tensor(storage: np.ndarray, offset: int, size: Any, stride: Any, *_: Any) -> _Array:
    size, stride = tuple(size), tuple(stride)
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    empty = 0 in size
    if min((offset, *size, *stride)) < 0 or (
        not empty and (last >= len(storage) or _count(size) > len(storage))
    ):
        raise pickle.UnpicklingError("it has a tensor that reaches beyond its storage")
    array = _Array()
    bytes_per_step = tuple(step * storage.itemsize for step in stride)
    array.value = (
        np.empty(size, storage.dtype)
        if empty
        else np.lib.stride_tricks.as_strided(storage[offset:], size, bytes_per_step).copy()
    )
    return array


def _count(size: tuple[int, ...]) -> int:
    product = 1
    for extent in size:
        product *= extent
    return product


def _plain(value: Any, depth: int = 0) -> Any:
    """Replace stand-ins by arrays and dictionaries."""
    if depth > 20:
        raise pickle.UnpicklingError("it is nested too deeply")
    if isinstance(value, _Array):
        return value.value
    if isinstance(value, _Record):
        # A Data object keeps its attributes in a storage, which refers back to it as _parent.
        store = value.state.get("_store", value)
        state = store.state if isinstance(store, _Record) else value.state
        return _plain(state.get("_mapping", state), depth + 1)
    if isinstance(value, Mapping):
        return {key: _plain(item, depth + 1) for key, item in value.items() if key != "_parent"}
    if isinstance(value, list | tuple):
        return [_plain(item, depth + 1) for item in value]
    if value is None or isinstance(value, bool | int | float | str | bytes):
        return value
    raise pickle.UnpicklingError(f"it holds a {type(value).__name__}")


_STORAGES = {
    "DoubleStorage": "<f8", "FloatStorage": "<f4", "HalfStorage": "<f2", "LongStorage": "<i8",
    "IntStorage": "<i4", "ShortStorage": "<i2", "CharStorage": "i1", "ByteStorage": "u1", "BoolStorage": "?",
}  # fmt: skip
_ALLOWED: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("_codecs", "encode"): _latin1,
    ("__builtin__", "bytes"): _no_bytes,
    ("torch", "Size"): tuple,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch.storage", "_load_from_bytes"): _storage,
    ("numpy", "ndarray"): _Type,
    ("numpy", "dtype"): _DType,
    **{("torch", name): _Element(code) for name, code in _STORAGES.items()},
    **{
        (f"numpy.{core}.{module}", name): function
        for core in ("core", "_core")
        for module, name, function in (
            ("multiarray", "_reconstruct", _array),
            ("multiarray", "scalar", _scalar),
            ("numeric", "_frombuffer", _array_of_buffer),
        )
    },
    ("torch_geometric.data.data", "Data"): _Record,
    ("torch_geometric.data.storage", "GlobalStorage"): _Record,
    ("torch_geometric.data.data", "DataEdgeAttr"): _Type,
    ("torch_geometric.data.data", "DataTensorAttr"): _Type,
}
"""Names that may occur in a record, and what stands in for them."""
