"""How kernels are compiled: without the GIL, cached on disk under a name that changes with the sources."""

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from numba.core import config


def cache_directory() -> Path:
    """Directory of compiled kernels, private to these sources and this version of numba.

    numba renews a kernel only when its own file changes, not when a function it calls in another file does;
    a directory named by all of them does.
    """
    digest = hashlib.sha256(numba.__version__.encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    home = os.environ.get("NUMBA_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    directory = Path(home).expanduser() / "hessbench" / digest.hexdigest()[:16]
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if os.access(directory, os.W_OK):
            return directory
    except OSError:
        pass  # no writable home, as in some containers
    return Path(tempfile.mkdtemp(prefix="hessbench-"))  # compiled anew by each process


CACHE = cache_directory()


def kernel(function: Callable[..., Any], inner: bool = False) -> Callable[..., Any]:
    """Compile on first call, or load from `CACHE`.

    Sums may be reordered (so that they vectorize), but NaN and infinity keep their meaning.
    """
    options: dict[str, Any] = {
        "nogil": True,
        "cache": True,
        "error_model": "numpy",
        "fastmath": {"reassoc", "contract", "nsz", "arcp", "afn"},
        "forceinline": inner,  # a call that passes arrays costs more than what most inner kernels do
        "no_cpython_wrapper": inner,  # wrappers take a good part of the time it takes to compile
        "no_cfunc_wrapper": True,
    }
    settings: Any = config
    before = settings.CACHE_DIR
    settings.CACHE_DIR = str(CACHE)
    try:
        return numba.njit(**options)(function)
    finally:
        settings.CACHE_DIR = before


def inner_kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile what only other kernels call."""
    return kernel(function, inner=True)
