"""Denormal numbers: Gaussians far from their centre leave many, and they cost up to 15 x a normal number."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def flushed_denormals() -> Iterator[None]:
    """Treat denormal numbers as zero in this thread, and leave its setting as it was."""
    flushed = bool(np.float32(1e-39) * np.float32(1.0) == 0.0)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(flushed)
