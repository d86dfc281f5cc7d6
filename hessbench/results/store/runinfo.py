"""What a run was made with: results/run.json, written by the pipeline, read by all that shows results."""

import json
from pathlib import Path

from pydantic import Field, ValidationError

from hessbench.config.base import Section, read_yaml
from hessbench.errors import ConfigurationError, HessbenchError
from hessbench.system.files import write_text

RUN = "run.json"
"""File name inside the results directory."""
SPLIT = "split.json"
"""Likewise, of the split of the data."""


def active_profile(params: Path = Path("params.yaml")) -> str:
    """Name of the active profile, recorded with all that it computes.

    Raises
    ------
    ConfigurationError
        params.yaml is missing, is not YAML, or names no profile.
    """
    name = read_yaml(params).get("profile")
    if not isinstance(name, str) or not name:
        raise ConfigurationError(f"{params}: profile: expected the name of the profile; add `profile: mine`.")
    return name


class RunInfo(Section):
    """Profile, data, software and machine of the results beside which this stands."""

    profile: str = Field(min_length=1, description="name of the profile")
    data: dict[str, str] = Field(
        min_length=1,
        description="set (rtp, irc, nms) to identity of its file: name, version, level of theory, checksum",
    )
    versions: dict[str, str] = Field(default={}, description="package to version")
    hardware: str = Field(default="", description="machine of the run, one line; empty: not recorded")

    @property
    def footer(self) -> str:
        """One line for the foot of a figure or table: no date, no commit; equal results look equal."""
        sets = "; ".join(f"{name}: {identity}" for name, identity in self.data.items())
        return f"Profile {self.profile}. Data: {sets}."


def write_run_info(
    results: Path,
    *,
    profile: str,
    data: dict[str, str],
    versions: dict[str, str] | None = None,
    hardware: str = "",
) -> Path:
    """Write results/run.json: the same again for the same run, so without times.

    Parameters
    ----------
    results
        The results directory; made if needed.
    profile
        Name of the active profile.
    data
        Identity of each test set's file, e.g. ``{"rtp": ReactionFile(path).identity}``.
    versions
        Versions of the packages on which the results depend.
    hardware
        One line on the machine.
    """
    info = RunInfo(profile=profile, data=data, versions=versions or {}, hardware=hardware)
    path = results / RUN
    write_text(path, json.dumps(info.model_dump(), indent=1) + "\n")
    return path


def read_run_info(results: Path) -> RunInfo:
    """Read results/run.json.

    Raises
    ------
    HessbenchError
        The file is missing or does not fit the schema.
    """
    path = results / RUN
    try:
        return RunInfo.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise HessbenchError(f"{path} does not exist; `make repro` writes it with the results.") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise HessbenchError(
            f"{path}{f', {place}' if place else ''}: {first['msg']}; `make repro` writes it anew."
        ) from None


def training_percents(results: Path) -> set[int]:
    """Sizes of the training sets of the run, percent of the data, from results/split.json.

    A size that left the profile leaves models and results behind, which are no part of the run.

    Raises
    ------
    HessbenchError
        The file is missing or is no split.
    """
    path = results / SPLIT
    try:
        return {int(percent) for percent in json.loads(path.read_bytes())["sizes"]}
    except FileNotFoundError:
        raise HessbenchError(f"{path} does not exist; `make repro` writes it with the results.") from None
    except (ValueError, KeyError, TypeError) as error:
        raise HessbenchError(
            f"{path}: is no split ({type(error).__name__}: {error}); `make repro` writes it anew."
        ) from None
