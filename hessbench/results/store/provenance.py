"""Provenance of a results table: what it was made from, and when, where and how it was made."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hessbench.config.base import PARAMS, read_yaml
from hessbench.config.inputs import Inputs
from hessbench.errors import ConfigurationError
from hessbench.system.machine import hardware, versions


@dataclass(frozen=True)
class Provenance:
    """Provenance of a results table.

    Attributes
    ----------
    inputs
        What it was made from; by this it belongs to a run, or does not.
    level
        Level of theory of the labels.
    models
        Number of models per loss (seeds or ensemble members); None where no model takes part.
    seconds
        Wall time of the computation in s, if measured.
    notes
        Anything the drawing of this table needs besides (bin widths, a note on shortened settings).
    profile
        Name of the profile that was active, for information: it may be renamed.
    hardware
        One line on the processor.
    versions
        Python and packages, name to version.
    """

    inputs: Inputs
    level: str = ""
    models: int | None = None
    seconds: float | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)
    profile: str = ""
    hardware: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def data(self) -> str:
        """The data in one line, as it stands below tables; several data sets with their names in front."""
        data = self.inputs.data
        if len(data) == 1:
            return next(iter(data.values()))
        return "; ".join(f"{name}: {item}" for name, item in data.items())


def made_here(
    inputs: Inputs,
    *,
    level: str,
    models: int | None = None,
    seconds: float | None = None,
    notes: Mapping[str, Any] | None = None,
) -> Provenance:
    """Provenance of a table that is made by this process: active profile, machine and versions are added."""
    return Provenance(
        inputs=inputs,
        level=level,
        models=models,
        seconds=seconds,
        notes=notes or {},
        profile=active_profile() if PARAMS.exists() else "",
        hardware=hardware()["processor"],
        versions=versions(),
    )


def active_profile(params: Path = PARAMS) -> str:
    """Name of the active profile.

    Raises
    ------
    ConfigurationError
        params.yaml is missing, is not YAML, or names no profile.
    """
    name = read_yaml(params).get("profile")
    if not isinstance(name, str) or not name:
        raise ConfigurationError(f"{params}: profile: expected the name of the profile; add `profile: mine`.")
    return name
