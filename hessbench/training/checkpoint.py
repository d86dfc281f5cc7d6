"""Checkpoints: everything a training needs to go on exactly, read without running code."""

import io
from pathlib import Path
from typing import Any

import torch

from hessbench.system.reading import reading
from hessbench.system.seal import read_sealed, write_sealed


def save_checkpoint(path: Path, content: dict[str, Any]) -> None:
    """Write a checkpoint whole or not at all; it holds tensors, numbers, strings, lists and dicts only."""
    write_sealed(path, lambda file: torch.save(content, file))


def load_checkpoint(path: Path, fingerprint: str) -> dict[str, Any] | None:
    """Read a checkpoint of this training.

    Returns
    -------
    dict or None
        None if there is no checkpoint, or only one of a training with other settings, data or code.

    Raises
    ------
    DataError
        The file is no checkpoint.
    """
    if not path.exists():
        return None
    with reading(path, "is no checkpoint", "delete it to train from the start"):
        content: dict[str, Any] = torch.load(
            io.BytesIO(read_sealed(path)), map_location="cpu", weights_only=True
        )
        found = content["fingerprint"]
    return content if found == fingerprint else None
