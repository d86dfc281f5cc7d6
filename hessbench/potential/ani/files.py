"""Model files: safetensors whose metadata describe the architecture, so reading one never runs code."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from hessbench.errors import DataError, HessbenchError
from hessbench.potential.ani.architecture import Architecture
from hessbench.potential.ani.model import ANI

FORMAT = "hessbench ANI 1"


def save(model: ANI, path: Path, notes: Mapping[str, str] | None = None) -> None:
    """Write a model; a feature scale is folded in first, so the file holds a plain ANI.

    Parameters
    ----------
    model
        The model; its dtype is kept.
    path
        File to write or replace; it appears whole or not at all.
    notes
        What else to remember, for example loss and seed.
    """
    header = {"format": FORMAT, "architecture": model.architecture.to_dict(), "notes": dict(notes or {})}
    plain = model.folded()
    tensors = {
        name: parameter.detach().cpu().contiguous() for name, parameter in plain.networks.named_parameters()
    }
    tensors["self_energies"] = plain.self_energies.cpu()
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        save_file(tensors, temporary, metadata={"hessbench": json.dumps(header)})
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def load(path: Path) -> ANI:
    """Read a model.

    Raises
    ------
    DataError
        The file is missing, no safetensors file, or not written by `save`.
    """
    header = _header(path)
    try:
        model = ANI(Architecture.from_dict(header["architecture"]))
    except (KeyError, TypeError, HessbenchError) as error:
        raise DataError(
            path, f"its description of the model cannot be read ({error}); write it again."
        ) from None
    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    self_energies = tensors.pop("self_energies", None)
    expected = {name: parameter.shape for name, parameter in model.networks.named_parameters()}
    found = {name: tensor.shape for name, tensor in tensors.items()}
    if self_energies is None or self_energies.shape != model.self_energies.shape or expected != found:
        raise DataError(path, "its tensors do not fit its description; write it again.")
    model.to(next(iter(tensors.values())).dtype)
    model.networks.load_state_dict(tensors)
    model.self_energies.copy_(self_energies)
    return model


def read_notes(path: Path) -> dict[str, str]:
    """Read the notes given to `save`.

    Raises
    ------
    DataError
        As `load`.
    """
    notes = _header(path).get("notes", {})
    return {str(key): str(value) for key, value in notes.items()}


def _header(path: Path) -> dict:
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
    except FileNotFoundError:
        raise DataError(path, "does not exist; train a model first, or give its path.") from None
    except (SafetensorError, OSError) as error:
        raise DataError(path, f"not a safetensors file ({error}).") from None
    try:
        header = json.loads(metadata["hessbench"])
        known = header["format"] == FORMAT
    except (KeyError, TypeError, json.JSONDecodeError):
        raise DataError(path, "no model of hessbench: its metadata do not describe one.") from None
    if not known:
        raise DataError(path, f"has format {header['format']!r}, this version reads {FORMAT!r}.")
    return header
