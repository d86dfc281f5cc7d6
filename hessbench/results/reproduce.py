"""Figures and tables of the project in whose root one works: the modules figure_* and table_* of reproduce/.

A table's module has `TITLE` and `make(results, tables) -> list of paths`, and `OPTIONAL = True` if a profile
may have nothing to put into it: then nothing is made. A figure's module has `TITLE`,
`STAGES` (stages of dvc.yaml whose results it shows), `CLAIMS` (keys of published.yaml that it illustrates)
and `draw(results) -> Figure`; what is to be seen stands in its docstring.
"""

import importlib
import re
import sys
from pathlib import Path
from types import ModuleType

from hessbench.errors import HessbenchError

FOLDER = Path("reproduce")
NOT_OF_THE_PAPER = 2
"""Place of what is neither in the paper (0) nor in its supporting information (1)."""


def available(kind: str) -> list[str]:
    """Names of the figures or tables in the order of the paper ("1", "2", ..., "s1", ...), then others.

    Raises
    ------
    HessbenchError
        There is none: this is not the root of the project.
    """
    names = [path.stem.removeprefix(f"{kind}_") for path in FOLDER.glob(f"{kind}_*.py")]
    if not names:
        raise HessbenchError(f"{FOLDER}/{kind}_*.py: none here; run hessbench in the root of its repository.")
    return sorted(names, key=_place)


def load(kind: str, name: str) -> ModuleType:
    """Import the module of one figure or table; "S3", "s3" and "3" are names.

    Raises
    ------
    HessbenchError
        There is no such figure or table.
    """
    names = available(kind)
    if name.lower() not in names:
        raise HessbenchError(f"There is no {kind} {name}; there are {', '.join(names)}.")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    return importlib.import_module(f"{FOLDER}.{kind}_{name.lower()}")


def designation(name: str) -> str:
    """How a figure or table is called: "S3" as in the paper, "weights" where the paper has none."""
    return name.upper() if _place(name)[0] < NOT_OF_THE_PAPER else name


def summary(module: ModuleType) -> str:
    """What a figure or table shows, from its module's docstring, without its first line (the title)."""
    return " ".join((module.__doc__ or "").strip().partition("\n")[2].split())


def _place(name: str) -> tuple[int, int, str]:
    numbered = re.fullmatch(r"(s?)(\d+)", name)
    return (len(numbered[1]), int(numbered[2]), name) if numbered else (NOT_OF_THE_PAPER, 0, name)
