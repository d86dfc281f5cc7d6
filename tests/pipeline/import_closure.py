"""Which source files a stage depends on: the modules its command imports, directly or through others.

`python tests/pipeline/import_closure.py hessbench.cli.train` prints them as a `deps` list for dvc.yaml.
"""

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("hessbench", "reproduce")
FRONT_DOOR = {"hessbench/__init__.py", "hessbench/cli/__init__.py", "reproduce/__init__.py"}
"""Imported by every command and without influence on any result: not a dependency of a stage."""


def source_of(module: str) -> Path | None:
    """File of a module of this project, if there is one."""
    base = ROOT.joinpath(*module.split("."))
    for candidate in (base.with_suffix(".py"), base / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


def imported_by(path: Path) -> set[str]:
    """Modules named in the import statements of a file, wherever in it they stand."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return {name for name in names if name.split(".")[0] in PACKAGES}


def closure(module: str) -> list[str]:
    """Source files, relative to the root, that importing a module executes."""
    seen: set[str] = set()
    files: set[str] = set()
    todo = [module]
    while todo:
        name = todo.pop()
        parts = name.split(".")
        for end in range(1, len(parts) + 1):
            part = ".".join(parts[:end])
            path = source_of(part)
            if part in seen or path is None:
                continue
            seen.add(part)
            relative = path.relative_to(ROOT).as_posix()
            if relative in FRONT_DOOR and part != module:
                continue
            if path.read_text().strip():
                files.add(relative)
            todo.extend(imported_by(path))
    return sorted(files)


if __name__ == "__main__":
    for file in closure(sys.argv[1]):
        print(f"  - {file}")
