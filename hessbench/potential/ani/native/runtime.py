"""Running kernels: threads, BLAS threads, denormal numbers, first compilation."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np
import scipy.linalg.cython_blas  # noqa: F401  (loads the BLAS whose threads are limited below)
import torch
from filelock import FileLock
from threadpoolctl import ThreadpoolController

from hessbench.potential.ani.native.compiler import CACHE
from hessbench.system.denormals import flushed_denormals

_BLAS = ThreadpoolController().select(user_api="blas")
_lock = threading.Lock()
_users = 0
_wide: list[tuple[Any, int]] = []  # BLAS libraries and how many threads they had


@contextmanager
def single_threaded_blas() -> Iterator[None]:
    """Let each kernel's thread do its matrix products itself, as many calls of this as run at a time."""
    global _users, _wide
    with _lock:
        if _users == 0:
            threads = [(library, library.get_num_threads()) for library in _BLAS.lib_controllers]
            _wide = [(library, count) for library, count in threads if count > 1]
            for library, _ in _wide:
                library.set_num_threads(1)
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                for library, count in _wide:
                    library.set_num_threads(count)


def as_array(tensor: torch.Tensor) -> np.ndarray:
    """View a CPU tensor as a contiguous array."""
    return np.ascontiguousarray(tensor.detach().numpy())


def split_chunks(weights: np.ndarray, parts: int) -> list[tuple[int, int]]:
    """Cut chunks of these weights into at most `parts` contiguous ranges of nearly equal weight."""
    if parts == 1:
        return [(0, len(weights))]
    total = np.concatenate([[0], np.cumsum(weights)])
    cuts = np.unique(np.searchsorted(total, total[-1] * np.arange(parts + 1) / parts))
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
