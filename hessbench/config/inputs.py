"""What a result is made from, in a form that can be compared and joined: data, files, settings, code.

A stage of the pipeline declares the code that it runs and the settings it reads (`Stage`). What its results
record, what results/run.json says that they must be made from, and what dvc.yaml says, follow from that.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hessbench.config.base import Section
from hessbench.config.data_file import PREFIX, located
from hessbench.errors import ConfigurationError, HessbenchError
from hessbench.system.reading import reading
from hessbench.system.sources import code_digest


@dataclass(frozen=True)
class Inputs:
    """What decides about a result.

    Attributes
    ----------
    data
        Name of a data set ("rtp") to its name, version, level of theory and checksum, as shown below figures.
    files
        Other files, by the setting that names them, or embedded ones by their name, to a digest of their
        content; "split" is how the data were shared out.
    settings
        Setting, or section of settings, to a digest of its value.
    code
        Stage that took part to a digest of its code.
    """

    data: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    code: Mapping[str, str] = field(default_factory=dict)

    def joined(self, *others: "Inputs") -> "Inputs":
        """Inputs of a result that is made from these and from results of others.

        Raises
        ------
        HessbenchError
            They are not of one run: two of them have the same input in two versions.
        """
        joined: dict[str, dict[str, str]] = {}
        for kind, entries in asdict(self).items():
            joined[kind] = dict(entries)
            for other in others:
                for key, value in getattr(other, kind).items():
                    if joined[kind].setdefault(key, value) != value:
                        raise HessbenchError(
                            f"These results were made from different {kind} ({key}: {joined[kind][key]} and "
                            f"{value}) and cannot be used together; `dvc repro` brings all up to date."
                        )
        return Inputs(**joined)


def inputs_of(content: Mapping[str, Any]) -> Inputs:
    """Inputs out of plain data, as JSON gives them.

    Raises
    ------
    ValueError
        The data are none of inputs.
    """
    kinds = {kind: dict(entries) for kind, entries in content.items()}
    if not all(
        isinstance(text, str) for entries in kinds.values() for item in entries.items() for text in item
    ):
        raise ValueError("inputs that are no text")
    return Inputs(**kinds)


def read_inputs(path: Path) -> Inputs | None:
    """Read the inputs that a JSON file records under the key "inputs"; None if it records none.

    Raises
    ------
    HessbenchError
        The file is missing or damaged.
    """
    remedy = "`dvc repro` writes it anew"
    with reading(path, "cannot be read", remedy, missing=f"cannot be read, it does not exist; {remedy}."):
        content = json.loads(path.read_bytes())
        return inputs_of(content["inputs"]) if "inputs" in content else None


@dataclass(frozen=True)
class Stage:
    """A stage of the pipeline that makes results, or the share of an experiment in one.

    Attributes
    ----------
    name
        As in dvc.yaml, or that of the experiment.
    package
        Dotted name of the code that it runs, with all that this imports.
    settings
        Sections of a profile, or settings in them ("training.epochs"), that decide about its results;
        ``{loss}`` and ``{percent}`` stand for those that a stage of many is about.
    files
        Files that it reads: settings that name one, or embedded ones ("embedded:rtp.h5").
    data
        Name of a data set to the setting that names its file; beside the active data sets.
    """

    name: str
    package: str
    settings: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    data: Mapping[str, str] = field(default_factory=dict)

    def inputs(
        self,
        data: Mapping[str, str],
        sections: Mapping[str, Section] | None = None,
        files: Mapping[str, str] | None = None,
        **item: object,
    ) -> Inputs:
        """What results are made from that this stage makes now, without the results of others that it reads.

        Parameters
        ----------
        data
            See `Inputs`.
        sections
            Sections of the profile that hold the stage's settings, by name.
        files
            Digests of files besides those that settings name.
        item
            The loss and the percent that a stage of many is about.
        """
        sections = sections or {}
        return Inputs(
            data=dict(data),
            files={**(files or {}), **{file: file_digest(sections, file) for file in self.files}},
            settings={
                path: setting_digest(sections, path)
                for path in (template.format(**item) for template in self.settings)
            },
            code={self.name: code_digest(self.package)},
        )


def setting(sections: Mapping[str, Section], path: str) -> Any:
    """Value of "stability", "training.losses.efh", or of a list's element, "split.training_percents.80".

    Raises
    ------
    KeyError
        There is no such setting.
    """
    name, *keys = path.split(".")
    value: Any = sections[name].model_dump(mode="json")
    for key in keys:
        value = {str(item): item for item in value}[key] if isinstance(value, list) else value[key]
    return value


def setting_digest(sections: Mapping[str, Section], path: str) -> str:
    """Digest of the value of a setting; see `setting`."""
    return digest(json.dumps(setting(sections, path), sort_keys=True).encode())


def file_of(sections: Mapping[str, Section], file: str) -> Path | None:
    """Path of an embedded file, or of the file that a setting names; None if the setting is null."""
    path = located(file if file.startswith(PREFIX) else setting(sections, file))
    return None if path is None else Path(path)


def file_digest(sections: Mapping[str, Section], file: str) -> str:
    """Digest of the content of a file, see `file_of`; "none" if there is none.

    Raises
    ------
    ConfigurationError
        There is no such file.
    """
    path = file_of(sections, file)
    if path is None:
        return "none"
    try:
        return digest(path.read_bytes())
    except FileNotFoundError:
        raise ConfigurationError(f"params.yaml: {file}: {path} does not exist; name a file.") from None


def digest(content: bytes) -> str:
    """First 16 digits of the SHA-256 of some bytes."""
    return hashlib.sha256(content).hexdigest()[:16]
