"""The code that a result depends on: folders of this project, found by following imports.

A folder counts as a whole, with the folders in it: that is the grain of the dependencies in dvc.yaml, and a
module that is added beside others is not overlooked. The package itself and its command line are front doors,
of which only the module that is asked for is followed. What an `__init__` further up imports is not followed.
"""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import hessbench

PACKAGES = ("hessbench", "reproduce")
"""The project's own packages; others are known by their versions."""
FRONT_DOORS = ("hessbench", "hessbench/cli")
DATA = "hessbench/embedded"
"""Holds data, on which stages depend file by file."""
ROOT = Path(hessbench.__file__).parents[1]
"""Folder that holds the packages."""


def folders(*modules: str, root: Path = ROOT) -> list[str]:
    """Folders of code that importing modules or packages may execute.

    Parameters
    ----------
    modules
        Dotted names, "hessbench.training".
    root
        Folder that holds the packages.

    Returns
    -------
    list of str
        Paths relative to `root`, "hessbench/training", in alphabetical order; none lies inside another.
    """
    found: set[str] = set()
    seen: set[Path] = set()
    waiting = list(modules)
    while waiting:
        file = _file_of(waiting.pop(), root)
        if file is None or file in seen:
            continue
        seen.add(file)
        folder = file.parent.relative_to(root).as_posix()
        if folder == DATA:
            continue
        if folder in FRONT_DOORS:
            waiting.extend(_imported_by(file))
        elif folder not in found:
            found.add(folder)
            for other in file.parent.rglob("*.py"):
                waiting.extend(_imported_by(other))
    return sorted(
        folder for folder in found if not any(str(parent) in found for parent in Path(folder).parents)
    )


def code_digest(*modules: str, root: Path = ROOT) -> str:
    """Digest of all files in the `folders` of modules; changes when one is edited, added or removed."""
    return files_digest(*folders(*modules, root=root), root=root)


def files_digest(*places: str, root: Path = ROOT) -> str:
    """Digest of folders and files alone, whatever they import; changes as that of `code_digest` does.

    Parameters
    ----------
    places
        Paths relative to `root`.
    root
        Folder that holds the packages.
    """
    digest = hashlib.sha256()
    for place in places:
        for file in sorted(_files(root / place)):
            digest.update(file.relative_to(root).as_posix().encode() + b"\0")
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _files(place: Path) -> Iterator[Path]:
    for path in (place, *place.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith("."):
            yield path


def _file_of(name: str, root: Path) -> Path | None:
    """File of a module, or of the one that holds a name; None for modules of other projects."""
    parts = name.split(".")
    if parts[0] not in PACKAGES:
        return None
    for end in range(len(parts), 0, -1):
        place = root.joinpath(*parts[:end])
        for candidate in (place.with_suffix(".py"), place / "__init__.py"):
            if candidate.is_file():
                return candidate
    return None


@cache
def _imported_by(file: Path) -> tuple[str, ...]:
    """Dotted names in a file's import statements, wherever in it they stand."""
    names: list[str] = []
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return tuple(names)
