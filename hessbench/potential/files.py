"""Model files: safetensors whose metadata describe the model, so that reading one never runs code."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import safe_open

from hessbench.errors import DataError
from hessbench.system.files import replacing
from hessbench.system.reading import reading
from hessbench.system.seal import BLANK, check_seal, seal

if TYPE_CHECKING:
    from torch import Tensor


CHECKSUM = "checksum"
"""The entry of the header that holds the digest of the file."""


def write_model(
    path: Path,
    model_format: str,
    description: Mapping[str, Any],
    tensors: "Mapping[str, Tensor]",
    notes: Mapping[str, str] | None = None,
) -> None:
    """Write a model file whole or not at all.

    Parameters
    ----------
    path
        File to write or replace.
    model_format
        The architecture's, with a version: decides who reads the file.
    description
        All that is needed to rebuild the model but its tensors, as plain data; joins the header.
    tensors
        By name.
    notes
        What else to remember, for example loss and seed.
    """
    from safetensors.torch import save  # loads torch, which readers of headers do without

    header = {"format": model_format, **description, "notes": dict(notes or {}), CHECKSUM: BLANK.decode()}
    on_cpu = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with replacing(Path(path)) as temporary:
        # one entry: safetensors writes several in any order, and equal models are to be equal files
        temporary.write_bytes(seal(save(on_cpu, {"hessbench": json.dumps(header)})))


def read_header(path: Path) -> dict[str, Any]:
    """Read the description of a model: its format, its notes and what its architecture wrote.

    Raises
    ------
    DataError
        The file is missing, is no safetensors file, or does not describe a model.
    """
    missing = "does not exist; train a model first, or give its path."
    with reading(path, "not a safetensors file", missing=missing), safe_open(path, framework="np") as file:
        metadata = file.metadata() or {}
    with reading(path, "no model of hessbench: its metadata do not describe one"):
        header: dict[str, Any] = json.loads(metadata["hessbench"])
        if not isinstance(header["format"], str):
            raise DataError(path, "no model of hessbench: its format is no name.")
    with reading(path, "damaged model file", "train or write it again"):
        check_seal(Path(path).read_bytes(), needed=header.pop(CHECKSUM, None) is not None)
    return header


def read_tensors(path: Path) -> "dict[str, Tensor]":
    """Read the tensors of a model file by name.

    Raises
    ------
    DataError
        The file is missing or damaged.
    """
    from safetensors.torch import load

    with reading(path, "damaged model file", "train or write it again"):
        content = Path(path).read_bytes()
        check_seal(content)
        tensors: dict[str, Tensor] = load(content)
        return tensors


def read_notes(path: Path) -> dict[str, str]:
    """Read the notes given to `write_model`.

    Raises
    ------
    DataError
        See `read_header`.
    """
    header = read_header(path)
    with reading(path, "no model of hessbench: its notes cannot be read"):
        return {str(key): str(value) for key, value in header.get("notes", {}).items()}
