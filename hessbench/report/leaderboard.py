"""The leaderboard: scores of potentials side by side, one page without anything from outside."""

from dataclasses import dataclass
from pathlib import Path

from hessbench import __version__
from hessbench.calculators.card import level_mark
from hessbench.experiments.curvature.statistics import METRICS
from hessbench.report.page import environment, text_of
from hessbench.report.score import Number, Score
from hessbench.results.store.names import QUANTITIES, SETS, UNITS
from hessbench.results.table_files import QUANTITY_NAMES, unit_text
from hessbench.system.files import write_text

TITLES = {
    "rtp": "Stationary points (RTP)",
    "irc": "Along reaction paths (IRC)",
    "nms": "Displaced along normal modes (NMS)",
}
HIGHER_IS_BETTER = {
    "lowest_overlap", "second_overlap", "imaginary_right", "minima_recognized", "saddles_recognized",
}  # fmt: skip
SHOWN = (
    "zero_point_mae", "wavenumber_mae_low", "wavenumber_mae_middle", "wavenumber_mae_high", "lowest_overlap",
    "imaginary_right",
)  # fmt: skip
"""Metrics of the curvature that have a column."""


@dataclass(frozen=True)
class Column:
    """A column of numbers: its heading, its unit, and whether the best stands lowest."""

    name: str
    label: str
    unit: str
    ascending: bool


@dataclass(frozen=True)
class Row:
    """A potential on one set: what it is called, its numbers by column, and what a reader should know."""

    score: Score
    numbers: dict[str, Number]
    failed: int
    structures: int
    mark: str


@dataclass(frozen=True)
class Board:
    """All potentials that were scored on the same data, the best forces first."""

    anchor: str
    title: str
    data: str
    rows: list[Row]


def columns() -> list[Column]:
    """Columns of numbers, the same for every set."""
    errors = [
        Column(name, f"{QUANTITY_NAMES[name]} RMSE", unit_text(UNITS[name]), True) for name in QUANTITIES
    ]
    curvature = [
        Column(item.name, item.label, item.unit, item.name not in HIGHER_IS_BETTER)
        for item in METRICS
        if item.name in SHOWN
    ]
    return errors + sorted(curvature, key=lambda item: SHOWN.index(item.name))


def boards(scores: list[Score]) -> list[Board]:
    """A board for each test set and version of its data: numbers on different data are not compared."""
    found: dict[tuple[str, str], list[Row]] = {}
    for score in scores:
        for name, item in score.sets.items():
            row = Row(
                score,
                {**item.errors, **item.curvature},
                item.failed,
                item.structures,
                level_mark(score.level, item.level),
            )
            found.setdefault((name, item.data), []).append(row)
    order = sorted(found, key=lambda key: (SETS.index(key[0]) if key[0] in SETS else len(SETS), key))
    return [
        Board(f"board-{index}", TITLES.get(key[0], key[0]), key[1], sorted(found[key], key=_by_forces))
        for index, key in enumerate(order)
    ]


def write_leaderboard(scores: list[Score], path: Path) -> None:
    """Write the page whole or not at all."""
    page = environment().get_template("leaderboard.html.j2")
    content = page.render(
        boards=boards(scores),
        columns=columns(),
        scores=scores,
        hessbench=__version__,
        style=text_of("style.css") + text_of("leaderboard.css"),
        script=text_of("leaderboard.js"),
    )
    write_text(path, content)


def _by_forces(row: Row) -> tuple[bool, float, str]:
    found = row.numbers.get("force")
    return found is None, 0.0 if found is None else found.value, row.score.name
