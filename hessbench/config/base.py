"""What every section of a profile shares: strict validation, and errors that a user can mend."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from hessbench.errors import ConfigurationError
from hessbench.system.reading import reading

LARGEST = 1_000_000
"""Bytes of a file of settings."""
MOST_VALUES = 100_000
"""Values that a file of settings may hold; thousands of times those of a profile."""
PARAMS = Path("params.yaml")
"""The active profile, in the folder where one works."""


class Section(BaseModel):
    """A part of a profile: immutable, and unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=(), allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _no_truth_for_a_number(cls, content: Any) -> Any:
        """Refuse true and false where a number stands: pydantic counts them as 1 and 0."""
        for name, field in cls.model_fields.items() if isinstance(content, dict) else ():
            kinds, value = _kinds(field.annotation), content.get(name)
            items = value if isinstance(value, list | tuple) else [value]
            if kinds & {int, float} and bool not in kinds and any(isinstance(item, bool) for item in items):
                raise ValueError(f"{name} is a truth value where a number is wanted; write a number")
        return content

    @classmethod
    def variant(cls, content: Any) -> type["Section"]:
        """Class that plain data of this section are validated by; a section of several kinds chooses here."""
        return cls


S = TypeVar("S", bound=Section)


NO_FILE = "does not exist; in a clone `hessbench profile use desktop` writes params.yaml."
"""What is said of settings that are not there."""


def read_yaml(path: Path, missing: str = NO_FILE) -> dict[str, Any]:
    """Read a YAML file whose top level is a mapping; `missing` is said of one that does not exist.

    Raises
    ------
    ConfigurationError
        The file is missing, is not YAML, or is no mapping.
    """
    with reading(path, "not valid YAML", "save it as UTF-8", missing=missing, error=_refused):
        if path.stat().st_size > LARGEST:
            raise _refused(path, f"larger than {LARGEST} bytes, which no settings are.", None)
        text = path.read_text(encoding="utf-8")
    with reading(path, "not valid YAML", error=_refused):
        content = _parsed(path, text)
    if not isinstance(content, dict):
        raise ConfigurationError(f"{path}: expected a mapping of sections, found {type(content).__name__}.")
    return content


def _refused(path: object, problem: str, place: str | None) -> ConfigurationError:
    return ConfigurationError(f"{path}{f', {place}' if place else ''}: {problem}")


def _parsed(path: Path, text: str) -> Any:
    """Plain data out of YAML, whose aliases may not make more of it than `MOST_VALUES`, or a circle."""
    try:
        loader = yaml.SafeLoader(text)
        tree = loader.get_single_node()
        if tree is not None and _values(tree, {}) > MOST_VALUES:
            raise _refused(path, f"its aliases make more than {MOST_VALUES} values of it.", None)
        if tree is not None and (twice := _given_twice(tree)):
            line = f"line {twice.start_mark.line + 1}"
            raise _refused(path, f"{twice.value} is given twice; leave one of them.", line)
        if tree is not None and (odd := _read_otherwise(tree)):
            raise _refused(path, f"{odd[1]}.", f"line {odd[0].start_mark.line + 1}")
        return None if tree is None else loader.construct_document(tree)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"line {mark.line + 1}" if mark else None
        raise _refused(path, f"not valid YAML ({error.problem}).", place) from None


def _nodes(tree: yaml.Node) -> Iterator[yaml.Node]:
    """All nodes in the order of the file, each once, however many aliases it has."""
    waiting, known = [tree], set()
    while waiting:
        node = waiting.pop()
        if id(node) in known:
            continue
        known.add(id(node))
        yield node
        if isinstance(node, yaml.MappingNode):
            waiting += [part for pair in node.value for part in pair][::-1]
        elif isinstance(node, yaml.SequenceNode):
            waiting += node.value[::-1]


def _given_twice(tree: yaml.Node) -> yaml.Node | None:
    """Key of a mapping that has stood there before, of which YAML would silently take the last."""
    for node in _nodes(tree):
        names = set()
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if isinstance(key, yaml.ScalarNode):
                if key.value in names:
                    return key
                names.add(key.value)
    return None


def _read_otherwise(tree: yaml.Node) -> tuple[yaml.Node, str] | None:
    """First plain word that YAML 1.1 takes for something else than what stands there, and what to say of it.

    `yes` is a truth value, 010 is eight, 1:30 is ninety.
    """
    for node in _nodes(tree):
        if not isinstance(node, yaml.ScalarNode) or node.style is not None:
            continue
        word, kind = node.value, node.tag.rpartition(":")[2]
        if kind == "bool" and word.lower() not in ("true", "false"):
            return node, f"{word} counts as a truth value; write true or false, or '{word}' for the word"
        octal = kind == "int" and re.match(r"[-+]?0[0-9_]", word)
        if octal or (kind in ("int", "float") and ":" in word):
            counted = yaml.SafeLoader("").construct_yaml_int(node) if kind == "int" else "minutes"
            return node, f"{word} counts as {counted}; write the number in full, or '{word}' for the text"
    return None


def _values(node: yaml.Node, known: dict[int, int]) -> int:
    """Number of values that a node stands for, those of aliases counted each time."""
    if id(node) not in known:
        known[id(node)] = MOST_VALUES  # while it is being counted: a circle
        children = node.value if isinstance(node, yaml.SequenceNode) else []
        if isinstance(node, yaml.MappingNode):
            children = [part for pair in node.value for part in pair]
        known[id(node)] = 1 + sum(_values(child, known) for child in children)
    return known[id(node)]


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
                quotes = "; put it in quotes" if item["type"] == "string_type" else ""
                problems.append(f"{key}: {item['msg']} (found {item['input']!r}){quotes}")
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


def _kinds(annotation: Any) -> set[Any]:
    """All types that an annotation is made of."""
    parts = get_args(annotation)
    return {annotation}.union(*map(_kinds, parts)) if parts else {annotation}


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Section)
