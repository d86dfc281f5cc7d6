"""What the code imports is what pyproject.toml declares."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXTRAS = {"native", "pipeline", "generate", "dft", "readers", "e3nn", "composition", "archive"}
OURS = {"hessbench", "reproduce", "tests", "tools", "examples"}


@pytest.mark.parametrize(
    ("folder", "groups"),
    [
        ("hessbench", EXTRAS),
        ("reproduce", {"pipeline"}),
        ("examples", {"native"}),
        (
            "tests",
            {"native", "pipeline", "generate", "dft", "readers", "e3nn", "composition", "archive", "dev"},
        ),
        ("tools", {"pipeline", "dev"}),
    ],
)
def test_every_import_is_declared(folder: str, groups: set[str]) -> None:
    distributions = packages_distributions()
    allowed = declared(groups)
    undeclared = {
        f"{module} in {path}"
        for path in (ROOT / folder).rglob("*.py")
        for module in imported(path) - OURS - set(sys.stdlib_module_names) - neighbours(path)
        if not {normal(name) for name in distributions.get(module, [module])} & allowed
    }
    assert not undeclared


def declared(groups: set[str]) -> set[str]:
    """Distributions that the package needs, and those of some of its extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    return {normal(item) for item in project["dependencies"] + [i for group in groups for i in extras[group]]}


def normal(requirement: str) -> str:
    """Name of a distribution as package indexes compare it, without version."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", requirement, maxsplit=1)[0]).lower()


def imported(path: Path) -> set[str]:
    """Top-level modules that a file imports, also inside functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module.partition(".")[0])
    return found


def neighbours(path: Path) -> set[str]:
    """Modules that a file imports by their bare names: a test those of tools/, an example the others."""
    if "examples" in path.parts:
        return {item.stem for item in path.parent.glob("*.py")}
    return {item.stem for item in (ROOT / "tools").glob("*.py")} if "tests" in path.parts else set()
