"""Keep the source files among the deps of dvc.yaml's stages equal to what their commands import.

    python tools/stage_sources.py            says what is missing or too much; exit status 1 if anything is
    python tools/stage_sources.py --write    mends dvc.yaml

Without its source files among its deps, an edit of the code would not rerun a stage; with too many, it would
rerun for nothing. Modules that cannot change a result are left out (`FRONT_DOOR`).
"""

import ast
import shlex
import sys
from pathlib import Path

from ruamel.yaml import YAML

from hessbench.cli import module_of
from hessbench.experiments.registry import all_experiments

ROOT = Path(__file__).parents[1]
PIPELINE = ROOT / "dvc.yaml"
PACKAGES = ("hessbench", "reproduce")
FRONT_DOOR = {
    "hessbench/__init__.py",
    "hessbench/cli/__init__.py",
    "hessbench/experiments/__init__.py",
    "hessbench/experiments/registry.py",
    "reproduce/__init__.py",
    *(f"hessbench/experiments/{name}/__init__.py" for name in all_experiments()),
}
"""Imported by every command and without influence on any result."""


def source_of(module: str) -> Path | None:
    """File of a module of this project, if there is one."""
    base = ROOT.joinpath(*module.split("."))
    for candidate in (base.with_suffix(".py"), base / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


def imported_by(path: Path) -> set[str]:
    """Modules of this project named in a file's import statements, wherever in it they stand."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return {name for name in names if name.split(".")[0] in PACKAGES}


def closure(*modules: str) -> set[str]:
    """Source files, relative to the root, that importing modules executes."""
    seen: set[str] = set()
    files: set[str] = set()
    todo = list(modules)
    while todo:
        parts = todo.pop().split(".")
        for end in range(1, len(parts) + 1):
            part = ".".join(parts[:end])
            path = source_of(part)
            if part in seen or path is None:
                continue
            seen.add(part)
            relative = path.relative_to(ROOT).as_posix()
            if relative in FRONT_DOOR:
                continue
            if path.read_text(encoding="utf-8").strip():
                files.add(relative)
            todo.extend(imported_by(path))
    return files


def modules_of(command: str) -> list[str]:
    """Modules that a stage's command runs: that of the subcommand, and those of the artefacts it names."""
    words = shlex.split(command)
    if words[0] != "hessbench":
        raise ValueError(f"a stage's command begins with `hessbench`, not {words[0]!r}")
    kind = words[1]
    names = [word for word in words[2:] if word != "all"] or ["*"]
    artefacts = [
        f"reproduce.{path.stem}" for name in names for path in (ROOT / "reproduce").glob(f"{kind}_{name}.py")
    ]
    return [module_of(kind), *artefacts]


def is_source(dependency: str) -> bool:
    """Whether a dependency is one of those this program keeps."""
    return dependency.endswith(".py") and dependency.split("/")[0] in PACKAGES


def differences(stages: dict) -> dict[str, tuple[set[str], set[str]]]:
    """Source files that stages lack, and that they name too much."""
    found = {}
    for name, stage in stages.items():
        expected = closure(*modules_of(stage["cmd"]))
        present = {item for item in stage.get("deps", []) if is_source(item)}
        if expected != present:
            found[name] = (expected - present, present - expected)
    return found


def main() -> int:
    """Compare, and mend on demand."""
    yaml = YAML()
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    pipeline = yaml.load(PIPELINE.read_text(encoding="utf-8"))
    found = differences(pipeline["stages"])
    for name, (missing, extra) in found.items():
        print(f"{name}: missing {sorted(missing)}, too much {sorted(extra)}")
    if found and "--write" in sys.argv:
        for name in found:
            stage = pipeline["stages"][name]
            others = [item for item in stage["deps"] if not is_source(item)]
            stage["deps"] = others + sorted(closure(*modules_of(stage["cmd"])))
        with PIPELINE.open("w", encoding="utf-8") as file:
            yaml.dump(pipeline, file)
        print(f"{PIPELINE.name} mended")
        return 0
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
