"""Running kernels: threads, BLAS threads, denormal numbers, large buffers, first compilation."""

import math
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import scipy.linalg.cython_blas  # noqa: F401  (loads the BLAS whose threads are limited below)
import torch
from filelock import FileLock
from threadpoolctl import ThreadpoolController

from hessbench.potential.ani.native.compiler import CACHE
from hessbench.system.denormals import flushed_denormals

_BLAS = ThreadpoolController().select(user_api="blas").lib_controllers
_lock = threading.Lock()
_users = 0
_threads_before: list[int] = []


@contextmanager
def single_threaded_blas() -> Iterator[None]:
    """Let each kernel's thread do its matrix products itself, as many calls of this as run at a time."""
    global _users
    with _lock:
        if _users == 0:
            _threads_before[:] = [library.get_num_threads() for library in _BLAS]
            for library in _BLAS:
                library.set_num_threads(1)
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                for library, threads in zip(_BLAS, _threads_before, strict=True):
                    library.set_num_threads(threads)


def as_array(tensor: torch.Tensor) -> np.ndarray:
    """View a CPU tensor as a contiguous array."""
    return np.ascontiguousarray(tensor.detach().numpy())


def split_chunks(weights: np.ndarray, parts: int) -> list[tuple[int, int]]:
    """Cut chunks of these weights into at most `parts` contiguous ranges of nearly equal weight."""
    total = np.cumsum(weights)
    targets = total[-1] * np.arange(1, parts) / parts
    cuts = np.unique(np.concatenate([[0], np.searchsorted(total, targets) + 1, [len(weights)]]))
    cuts = cuts[cuts <= len(weights)]
    return list(zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True))


def run_parts(task: Callable[[int, int, int], None], parts: list[tuple[int, int]]) -> None:
    """Call task(part, first, last) for every part, all but the first one in threads of their own."""

    def guarded(part: int) -> None:
        with flushed_denormals():
            task(part, *parts[part])

    with single_threaded_blas():
        if len(parts) == 1:
            guarded(0)
            return
        with ThreadPoolExecutor(len(parts) - 1) as pool:
            others = [pool.submit(guarded, part) for part in range(1, len(parts))]
            guarded(0)
            for other in others:
                other.result()


class Buffer:
    """Large arrays on loan; their memory returns to a small stock when no one refers to the loan any more.

    Fresh memory is slow: the system hands it out page by page, zeroed, and takes it back at once.
    """

    _stock: list[np.ndarray] = []  # noqa: RUF012  (shared on purpose)
    _stock_size = 8

    def __init__(self, dtype: np.dtype, *shapes: tuple[int, ...]) -> None:
        ends = np.cumsum([0, *(math.prod(shape) for shape in shapes)]).tolist()
        needed = max(ends[-1] * dtype.itemsize, 1)
        with _lock:
            fitting = [index for index, item in enumerate(self._stock) if needed <= item.nbytes <= 4 * needed]
            best = min(fitting, key=lambda index: self._stock[index].nbytes, default=None)
            self._memory = None if best is None else self._stock.pop(best)
        if self._memory is None:
            self._memory = np.empty(needed + needed // 8, np.uint8)
        flat = self._memory[: ends[-1] * dtype.itemsize].view(dtype)
        self.arrays = [
            flat[first:last].reshape(shape)
            for first, last, shape in zip(ends, ends[1:], shapes, strict=False)
        ]

    def __del__(self) -> None:
        memory = getattr(self, "_memory", None)
        if memory is not None:
            self._stock.append(memory)
            del self._stock[: -self._stock_size]


_ready: set[np.dtype] = set()


def compile_once(dtype: np.dtype, exercise: Callable[[], None]) -> None:
    """Compile or load all kernels of one type, one process at a time.

    Processes that start together would otherwise compile the same kernels side by side, and numba's cache
    is not made for two that write different kernels of one function at once.
    """
    if dtype in _ready:
        return
    with FileLock(CACHE / f"{dtype.name}.lock"):
        exercise()
    _ready.add(dtype)
