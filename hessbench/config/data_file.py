"""Settings that name a file of data: a path, or ``embedded:NAME`` for one that comes with the package.

The name is the same on every machine, so that digests of settings can be compared; the path is not.
"""

from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer

from hessbench.embedded import EMBEDDED

PREFIX = "embedded:"
KINDS = (".h5", ".extxyz")
"""Endings of the embedded files that a setting can name."""


def located(name: Any) -> Any:
    """Path of the embedded file that a setting names; anything else stays as it is.

    Raises
    ------
    ValueError
        There is no such file.
    """
    if not isinstance(name, str) or not name.startswith(PREFIX):
        return name
    path = EMBEDDED / name.removeprefix(PREFIX)
    if not path.is_file() or path.suffix not in KINDS:
        present = sorted(item.name for item in EMBEDDED.iterdir() if item.suffix in KINDS)
        raise ValueError(f"there is no {name}; there are {', '.join(PREFIX + item for item in present)}")
    return path


def named(path: Path) -> str:
    """How a setting names a path, the reverse of `located`."""
    return f"{PREFIX}{path.name}" if path.parent == EMBEDDED else str(path)


DataFile = Annotated[Path, BeforeValidator(located), PlainSerializer(named, when_used="json")]
"""Type of such a setting."""
