"""How losses are called in tables and figures."""

import json
from pathlib import Path

from hessbench.config.base import PARAMS, read_yaml
from hessbench.errors import ConfigurationError
from hessbench.system.reading import reading

LABELS = {"e": "E", "ef": "E-F", "efh": "E-F-H", "efhvp": "E-F-HVP"}
"""Loss, as named in paths and settings, to its label, where that is no choice of a profile."""
PAPER_LOSSES = ("e", "ef", "efh")
PAPER_LABELS = tuple(LABELS[loss] for loss in PAPER_LOSSES)
REFERENCE = "reference"
"""In the place of a loss's label: the row is the level of theory itself, no model."""


def default_label(name: str) -> str:
    """Label of a loss that states none: fixed for those of the paper and for E-F-HVP, else its name."""
    return LABELS.get(name, name)


def stated_labels(params: Path = PARAMS) -> dict[str, str]:
    """Names of the losses of a profile, with their labels; nothing else of the profile is looked at.

    Raises
    ------
    ConfigurationError
        The file is missing or no YAML, or has no losses.
    """
    try:
        losses = read_yaml(params)["training"]["losses"]
        return {str(name): str(loss.get("label") or default_label(name)) for name, loss in losses.items()}
    except (KeyError, TypeError, AttributeError):
        raise ConfigurationError(
            f"{params}: training.losses: expected losses, each with its terms."
        ) from None


def read_label(path: Path) -> str:
    """Read from training.json of a trained ensemble what its loss is called.

    Raises
    ------
    DataError
        The file is missing or damaged, or does not say it.
    """
    missing = "does not exist; train the ensemble to the end."
    with reading(path, "does not say what the loss is called", "train again", missing=missing):
        return str(json.loads(path.read_text(encoding="utf-8"))["label"])
