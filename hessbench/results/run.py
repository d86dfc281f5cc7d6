"""What a run is made from: results/run.json, which the stage `provenance` writes and all readers read."""

import json
from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, ValidationError

from hessbench.config.base import Section
from hessbench.config.inputs import Inputs
from hessbench.errors import HessbenchError
from hessbench.results.store.names import SETS
from hessbench.system.files import write_text
from hessbench.system.reading import reading

RUN = "run.json"
"""File name inside the folder of results."""


class Run(Section):
    """Data, settings and code that results are made from to belong to the run, and who made them.

    The fields of `Inputs` hold all that any stage depends on; a table has those that it was made from.
    """

    profile: str = Field(min_length=1, description="name of the profile")
    data: dict[str, str] = Field(
        min_length=1,
        description="data set (rtp, irc, nms, ...) to its name, version, level of theory and checksum",
    )
    files: dict[str, str] = Field(
        default={}, description="setting that names a file to a digest of its content"
    )
    settings: dict[str, str] = Field(default={}, description="setting or section to a digest of its value")
    code: dict[str, str] = Field(default={}, description="stage to a digest of its code")
    versions: dict[str, str] = Field(default={}, description="package to version")
    hardware: str = Field(default="", description="machine of the run, one line; empty: not recorded")

    @property
    def sets(self) -> dict[str, str]:
        """The active data sets among the data: trained and tested on."""
        return {name: self.data[name] for name in SETS if name in self.data}

    @property
    def footer(self) -> str:
        """One line for the foot of a figure or table: no date, no commit; equal results look equal."""
        sets = "; ".join(f"{name}: {item}" for name, item in self.sets.items())
        return f"Profile {self.profile}. Data: {sets}."

    def difference(self, inputs: Inputs) -> str:
        """In what the inputs of a result differ from this run, as a part of a sentence; empty if in nothing.

        For example "was made from other settings (stability) and other code (train) than this run".
        """
        data = [f"{key}: {value}, here {mine}" for key, value, mine in _others(inputs.data, self.data)]
        data += [_name(key, mine) for key, _, mine in _others(inputs.files, self.files)]
        settings = [_name(key, mine) for key, _, mine in _others(inputs.settings, self.settings)]
        code = [_name(key, mine) for key, _, mine in _others(inputs.code, self.code)]
        kinds = {"data": data, "settings": settings, "code": code}
        parts = [f"other {kind} ({'; '.join(names)})" for kind, names in kinds.items() if names]
        return f"was made from {' and '.join(parts)} than this run" if parts else ""


def _others(found: Mapping[str, str], mine: Mapping[str, str]) -> list[tuple[str, str, str | None]]:
    """Inputs that are not those of the run: key, value, and the run's value or None."""
    return [(key, value, mine.get(key)) for key, value in found.items() if mine.get(key) != value]


def _name(key: str, mine: str | None) -> str:
    return key if mine is not None else f"{key}, which left the profile"


def write_run(results: Path, run: Run) -> Path:
    """Write results/run.json: the same again for the same run, so without times.

    Parameters
    ----------
    results
        Folder of the results; made if needed.
    run
        What it is made from.
    """
    path = results / RUN
    write_text(path, json.dumps(run.model_dump(), indent=1) + "\n")
    return path


def read_run(results: Path) -> Run:
    """Read results/run.json.

    Raises
    ------
    HessbenchError
        The file is missing or does not fit the schema.
    """
    path = results / RUN
    try:
        with reading(path, missing="does not exist; `make repro` writes it with the results."):
            content = path.read_bytes()
        return Run.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise HessbenchError(
            f"{path}{f', {place}' if place else ''}: {first['msg']}; `make repro` writes it anew."
        ) from None
