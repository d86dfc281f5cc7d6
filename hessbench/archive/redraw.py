"""Figures, tables, verdicts and the report of an archive, made from its results alone."""

import csv
import hashlib
import tempfile
from collections.abc import Callable
from itertools import zip_longest
from pathlib import Path

from hessbench.archive.layout import FIGURES, REPORT, RESULTS, TABLES
from hessbench.archive.outcome import Difference, Found
from hessbench.errors import HessbenchError
from hessbench.plotting.redraw import redraw_all
from hessbench.report.content import gather
from hessbench.report.page import write_report
from hessbench.results import reproduce
from hessbench.results.reader import Results
from hessbench.system.files import write_text
from hessbench.verification.making import make_tables

NOTHING = "no such file"


def draw_figures(archive: Path, folder: Path, processes: int) -> None:
    """Draw all figures from the results of an archive.

    Parameters
    ----------
    archive
        The archive, with results/ and models/.
    folder
        Where to draw them.
    processes
        Figures drawn at the same time.

    Raises
    ------
    HessbenchError
        One cannot be drawn; the message names file and column.
    """
    for _, outcome in redraw_all(reproduce.available("figure"), archive, folder, processes=processes):
        if isinstance(outcome, HessbenchError):
            raise outcome


def write_tables(archive: Path, folder: Path) -> None:
    """Write all tables, verdicts too, from the results of an archive; they name no place on this machine.

    Raises
    ------
    HessbenchError
        Results are damaged.
    """
    for path in make_tables(Results(archive / RESULTS), folder):
        _without_place(path, archive)


def write_page(archive: Path, file: Path) -> None:
    """Write the report from results, figures and tables of an archive.

    Raises
    ------
    HessbenchError
        There is no results/run.json.
    """
    write_report(gather(archive, archive / FIGURES, archive / TABLES), file)
    _without_place(file, archive)


def check_figures(archive: Path, processes: int) -> Found:
    """Draw all figures anew and compare them byte by byte."""
    return _compare(archive, FIGURES, lambda folder: draw_figures(archive, folder / FIGURES, processes))


def check_tables(archive: Path) -> Found:
    """Write all tables anew and compare them byte by byte."""
    return _compare(archive, TABLES, lambda folder: write_tables(archive, folder / TABLES))


def check_report(archive: Path) -> Found:
    """Write the report anew and compare it byte by byte."""
    return _compare(
        archive, Path(REPORT).parent.as_posix(), lambda folder: write_page(archive, folder / REPORT)
    )


def _without_place(path: Path, archive: Path) -> None:
    """Let a text say results/... where it says where the archive lies."""
    text = path.read_text(encoding="utf-8")
    shorter = text.replace(f"{archive}/", "")
    if shorter != text:
        write_text(path, shorter)


def _compare(archive: Path, part: str, make: Callable[[Path], None]) -> Found:
    """Make the files of a part of an archive anew and compare them with those in it."""
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        make(root)
        names = sorted(
            {path.relative_to(place).as_posix() for place in (archive, root) for path in _files(place / part)}
        )
        differences = [
            difference for name in names for difference in differing(name, archive / name, root / name)
        ]
    return Found(f"{len(names)} files, byte by byte", differences=differences)


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def differing(name: str, expected: Path, found: Path) -> list[Difference]:
    """Say how two files differ: the first row of a table or line of a text, else the checksums."""
    contents = [path.read_bytes() if path.exists() else None for path in (expected, found)]
    if contents[0] == contents[1]:
        return []
    if contents[0] is None or contents[1] is None:
        known = [NOTHING if content is None else f"sha256 {_digest(content)}" for content in contents]
        return [Difference(name, "", known[0], known[1])]
    if expected.suffix in (".csv", ".md", ".tex", ".json"):
        texts = [content.decode("utf-8", errors="replace") for content in contents if content is not None]
        return [_first_line(name, *texts)]
    return [Difference(name, "", f"sha256 {_digest(contents[0])}", f"sha256 {_digest(contents[1])}")]


def _first_line(name: str, expected: str, found: str) -> Difference:
    """The first row, and the cell in it, by which two texts differ."""
    pairs = zip_longest(expected.splitlines(), found.splitlines(), fillvalue=NOTHING)
    row, (first, second) = next((row, pair) for row, pair in enumerate(pairs) if pair[0] != pair[1])
    if name.endswith(".csv") and row and NOTHING not in (first, second):
        header, *cells = (next(csv.reader([line])) for line in (expected.splitlines()[0], first, second))
        for column, one, other in zip(header, *cells, strict=False):
            if one != other:
                return Difference(name, f"row {row}, column {column}", one, other)
    return Difference(name, f"line {row + 1}", *(" ".join(line.split()) for line in (first, second)))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
