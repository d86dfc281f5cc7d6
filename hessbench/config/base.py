"""What every section of a profile shares: strict validation, and errors that a user can mend."""

from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from hessbench.errors import ConfigurationError

PARAMS = Path("params.yaml")
"""The active profile, in the folder where one works."""


class Section(BaseModel):
    """A part of a profile: immutable, and unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    @classmethod
    def variant(cls, content: Any) -> type["Section"]:
        """Class that plain data of this section are validated by; a section of several kinds chooses here."""
        return cls


S = TypeVar("S", bound=Section)


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML file whose top level is a mapping.

    Raises
    ------
    ConfigurationError
        The file is missing, is not YAML, or is no mapping.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(
            f"{path} does not exist; in a clone `hessbench profile use desktop` writes params.yaml."
        ) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}" if mark else ""
        raise ConfigurationError(
            f"{path}{place}: not valid YAML ({getattr(error, 'problem', error)})."
        ) from None
    if not isinstance(content, dict):
        raise ConfigurationError(f"{path}: expected a mapping of sections, found {type(content).__name__}.")
    return content


def validate(section: type[S], content: Any, *, source: object, prefix: str = "") -> S:
    """Validate plain data against a section.

    Parameters
    ----------
    section
        The pydantic model to fit.
    content
        What YAML gave.
    source
        File named in the error.
    prefix
        Path of keys above `content`, for the error.

    Raises
    ------
    ConfigurationError
        With the path of each offending key, what was found and what was expected.
    """
    try:
        return section.model_validate(content)
    except ValidationError as error:
        problems = []
        for item in error.errors():
            key = _path(prefix, item["loc"])
            if item["type"] == "extra_forbidden":
                problems.append(
                    f"{key}: unknown key; expected one of {_siblings(section, item['loc'], content)}"
                )
            elif item["type"] == "missing":
                problems.append(f"{key}: missing")
            else:
                problems.append(f"{key}: {item['msg']} (found {item['input']!r})")
        raise ConfigurationError(f"{source}: " + "; ".join(problems)) from None


def _path(prefix: str, location: tuple[int | str, ...]) -> str:
    """Place of a value as "training.losses.efh.terms[1].weight"."""
    keys = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in location if part != "[key]")
    return (prefix + "".join(keys)).removeprefix(".")


def load_section(section: type[S], name: str, params: Path = PARAMS) -> S:
    """Read and validate one top-level section of params.yaml.

    A stage reads only the sections it depends on, so that it need not rerun when another one changes.
    """
    content = read_yaml(params)
    if name not in content:
        raise ConfigurationError(f"{params}: section `{name}` is missing.")
    return validate(section, content[name], source=params, prefix=name)


def _siblings(section: type[Section], location: tuple[int | str, ...], content: Any) -> str:
    """Name the keys allowed beside an unknown one."""
    model: Any = section.variant(content)
    for part in location[:-1]:
        if _is_section(model) and part in model.model_fields:
            model = model.model_fields[str(part)].annotation
        else:  # an element of a list, or an entry of a mapping
            model = next(filter(_is_section, get_args(model)), None)
        try:
            content = content[part]
        except (
            KeyError,
            IndexError,
            TypeError,
        ):  # the tag of a union is no key of the data
            break
        model = model.variant(content) if _is_section(model) else model
    if _is_section(model):
        return ", ".join(model.model_fields)
    return "the keys of the schema (hessbench/config)"


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Section)
