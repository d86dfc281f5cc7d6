"""Who imports whom: an arrow between packages never runs up, and no imports go in a circle."""

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1]
ORDER = (
    "errors",
    "units",
    "embedded",
    "system",
    "config",
    "cluster",
    "data",
    "potential",
    "training",
    "tuning",
    "chemistry",
    "reactions",
    "formats",
    "datasets",
    "calculators",
    "pretrained",
    "comparison",
    "generate",
    "results",
    "plotting",
    "experiments",
    "verification",
    "report",
    "benchmarks",
    "profiles",
    "archive",
    "cli",
)
"""The packages, lowest first: each may import those before it, and `hessbench` itself."""

Graph = dict[str, set[str]]


def imports(root: Path = ROOT) -> Graph:
    """Modules of the package and those of its modules that each one imports, also inside functions."""
    files = {_name(path.relative_to(root)): path for path in (root / "hessbench").rglob("*.py")}
    graph: Graph = {}
    for module, path in files.items():
        named: set[str] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                named.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                whole = (f"{node.module}.{alias.name}" for alias in node.names)
                named.update(name if name in files else node.module for name in whole)
        graph[module] = (named & files.keys()) - {module}
    return graph


def arrows(graph: Graph) -> dict[tuple[str, str], list[str]]:
    """Pairs of packages of which the first imports the second, with the imports themselves."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for module, others in graph.items():
        for other in others:
            pair = _package(module), _package(other)
            if pair[0] != pair[1]:
                found[pair].append(f"{module} -> {other}")
    return dict(found)


def circles(graph: Graph) -> set[tuple[str, ...]]:
    """Groups of modules of which each is imported, directly or not, by all others of the group."""
    reached = {module: _reach(graph, module) for module in graph}
    return {
        tuple(sorted(other for other in reached[module] if module in reached[other]))
        for module in graph
        if module in reached[module]
    }


def test_no_arrow_runs_up() -> None:
    rank = {package: place for place, package in enumerate(("", *ORDER, "__main__"))}
    assert not {pair: where for pair, where in arrows(imports()).items() if rank[pair[0]] < rank[pair[1]]}


def test_no_imports_go_in_a_circle() -> None:
    assert not circles(imports())


def test_every_package_has_its_place() -> None:
    present = {_package(module) for module in imports()} - {"", "__main__"}
    assert present <= set(ORDER), f"give {present - set(ORDER)} a place in ORDER"


def test_imports_of_all_forms_are_seen(tmp_path: Path) -> None:
    package = tmp_path / "hessbench"
    for name, text in {
        "__init__.py": "",
        "low/__init__.py": "",
        "low/a.py": "def f():\n    import hessbench.high.b\n",
        "high/__init__.py": "",
        "high/b.py": "from hessbench.low import a, other\nfrom hessbench.high.c import something\n",
        "high/c.py": "import os, hessbench.high\n",
    }.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(text)
    graph = imports(tmp_path)
    assert graph["hessbench.low.a"] == {"hessbench.high.b"}
    assert graph["hessbench.high.b"] == {"hessbench.low", "hessbench.low.a", "hessbench.high.c"}
    assert graph["hessbench.high.c"] == {"hessbench.high"}
    assert set(arrows(graph)) == {("low", "high"), ("high", "low")}
    assert circles(graph) == {("hessbench.high.b", "hessbench.low.a")}


def _name(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def _package(module: str) -> str:
    """First level below `hessbench`; empty for `hessbench` itself."""
    return (*module.split("."), "")[1]


def _reach(graph: Graph, start: str) -> set[str]:
    seen: set[str] = set()
    todo = list(graph[start])
    while todo:
        module = todo.pop()
        if module not in seen:
            seen.add(module)
            todo.extend(graph[module])
    return seen


def test_the_list_for_contributors_is_this_one() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text.partition("| package | holds |\n|---|---|\n")[2].partition("\n\n")[0]
    assert tuple(row.split("|")[1].strip() for row in table.splitlines()) == ORDER
