"""Checkpoints: everything a training needs to go on exactly, read without running code."""

import pickle
from pathlib import Path
from typing import Any

import torch

from hessbench.errors import DataError
from hessbench.system.files import replacing


def save_checkpoint(path: Path, content: dict[str, Any]) -> None:
    """Write a checkpoint whole or not at all; it holds tensors, numbers, strings, lists and dicts only."""
    with replacing(path) as temporary:
        torch.save(content, temporary)


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
    try:
        content = torch.load(path, weights_only=True)
        found = content["fingerprint"]
    except (pickle.UnpicklingError, RuntimeError, EOFError, KeyError, TypeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(path, f"is no checkpoint ({reason}); delete it to train from the start.") from None
    return content if found == fingerprint else None
