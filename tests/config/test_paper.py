"""The paper's protocol stands in one place, and all that stands there is used."""

import ast
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from hessbench.config import paper
from hessbench.results.published import Published

ROOT = Path(__file__).parents[2]
COINCIDENCES = {
    ("chemistry/settings.py", "band_fmax_ev_a"),
    ("experiments/errors/claims.py", "_gain"),
    ("experiments/neb/claims.py", "HALF"),
    ("experiments/neb/run/settings.py", "candidates"),
    ("experiments/neb/run/settings.py", "end_point_steps"),
    ("experiments/single_ts/claims.py", "MOST"),
    ("experiments/single_ts/run/settings.py", "energy_unit"),
    ("experiments/single_ts/run/settings.py", "models_of_variants"),
    ("experiments/spectra/claims.py", "HALF"),
    ("experiments/spectra/claims.py", "spectra_softening"),
    ("experiments/stability/claims.py", "HALF"),
    ("experiments/ts_search/run/settings.py", "steps"),
    ("generate/settings.py", "irc_steps"),
    ("generate/settings.py", "irc_structures"),
    ("generate/settings.py", "nms_energy_cap"),
    ("potential/e3nn/settings.py", "cutoff"),
    ("training/settings.py", "checkpoint_epochs"),
    ("training/settings.py", "factor"),
    ("training/settings.py", "patience"),
}
"""Settings and constants of claims that are no copies: they happen to have the size of a number of the paper.
An entry that is no longer needed fails."""


def test_settings_and_claims_hold_no_second_copy_of_a_number_of_the_paper() -> None:
    copies = {
        (path.relative_to(ROOT / "hessbench").as_posix(), name)
        for path in (ROOT / "hessbench").rglob("*.py")
        if path.name in ("settings.py", "claims.py", "criterion.py")
        for name, value in literals(ast.parse(path.read_text(encoding="utf-8")))
        if value in numbers()
    }
    assert not copies - COINCIDENCES, "take it from hessbench/config/paper.py"
    assert not COINCIDENCES - copies, "no longer needed in COINCIDENCES"


def test_a_copy_would_be_found() -> None:
    source = """
START, RATIO = 5, 1.1
class Config:
    images: int = Field(58, ge=3)
    percents: tuple[int, ...] = Field(default=(2, 5, 10, 20, 40, 60, 80))
    epochs: int = 58 + 1
    def share(self):
        return 100 * self.images
def claim(results):
    return Finding(estimate=shares > 0.08, line=0.75)
"""
    found = list(literals(ast.parse(source)))
    assert ("(START, RATIO)", 5) in found
    assert dict(found) == {
        "(START, RATIO)": 1.1,
        "images": 58,
        "percents": (2, 5, 10, 20, 40, 60, 80),
        "claim": 0.08,
    }
    assert {name for name, value in found if value in numbers()} == {
        "(START, RATIO)",
        "images",
        "percents",
        "claim",
    }


def test_every_number_of_the_protocol_is_used() -> None:
    names = {name for name in vars(paper) if name.isupper()}
    assert names <= names_read(exclude=ROOT / "hessbench" / "config" / "paper.py")


def test_every_published_value_is_read() -> None:
    """By name; the losses, sets and quantities of tables are looked up with `getattr`."""
    looked_up = {"e", "ef", "efh", "rtp", "irc", "nms", "energy", "force", "hessian"}
    fields = set(fields_of(Published)) - looked_up
    unread = fields - names_read(exclude=ROOT / "hessbench" / "results" / "published.py")
    assert not unread - {"rmse"}, "no code reads it: take it out of published.yaml"


def numbers() -> set[object]:
    """All numbers of the protocol; of the training set sizes the whole tuple and the largest."""
    found: set[object] = {paper.TRAINING_PERCENTS, paper.TRAINING_PERCENTS[-1]}
    for name, value in vars(paper).items():
        if name.isupper() and name != "TRAINING_PERCENTS":
            found.update(value.values() if isinstance(value, dict) else [value])
    return found


def literals(tree: ast.Module) -> Iterator[tuple[str, object]]:
    """Numbers given to a constant or as the default of a field, and those in functions outside classes.

    Left out: limits of fields, and what a claim says itself: its line, and sizes of training sets.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            value = node.value
            if isinstance(value, ast.Call):
                default = [item.value for item in value.keywords if item.arg == "default"]
                value = (value.args or default or [value])[0]
            values = value.elts if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) else [value]
            yield from ((ast.unparse(target), number) for item in values for number in _number(item))
    for function in tree.body:
        if isinstance(function, ast.FunctionDef):
            own = {
                inner
                for item in ast.walk(function)
                if isinstance(item, ast.keyword) and str(item.arg).endswith(("line", "published"))
                for inner in ast.walk(item)
            }
            for node in ast.walk(function):
                if isinstance(node, ast.Constant) and node not in own:
                    yield from ((function.name, number) for number in _number(node))


def names_read(exclude: Path) -> set[str]:
    """Names and attributes in the code, one file left out."""
    found: set[str] = set()
    for folder in ("hessbench", "reproduce"):
        for path in (ROOT / folder).rglob("*.py"):
            if path != exclude:
                for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                    if isinstance(node, ast.Attribute):
                        found.add(node.attr)
                    elif isinstance(node, ast.alias):
                        found.add(node.name)
    return found


def fields_of(model: type[BaseModel]) -> Iterator[str]:
    """Names of the fields of a section and of those below it."""
    for name, field in model.model_fields.items():
        yield name
        inner = getattr(field.annotation, "__args__", (field.annotation,))
        for kind in inner:
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from fields_of(kind)


def _number(node: ast.expr) -> list[object]:
    """The number or tuple that an expression writes down, in a list; an empty one if it is something else."""
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return []
    return [value] if isinstance(value, int | float | tuple) and not isinstance(value, bool) else []
