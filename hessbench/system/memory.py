"""Memory that the C library keeps instead of giving it back to the system."""

from functools import cache

import torch


@cache
def keep_freed_memory() -> None:
    """Let the C library keep memory that arrays of a few MiB give back; once a process.

    glibc returns blocks above a threshold to the system at once and gets them back page by page,
    zeroed, which takes as long as the arithmetic on them. The threshold rises to the size of the largest
    such block ever freed, at most 32 MiB (mallopt(3)), so one is freed here. Elsewhere this does nothing.
    """
    torch.empty(31 * 2**20, dtype=torch.uint8)
