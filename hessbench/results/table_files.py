"""Tables for programs (CSV, written and read back), people (Markdown) and papers (LaTeX, booktabs).

Equal results give equal bytes: numbers are rounded to six significant digits, and there is no date in them.
"""

import csv
import math
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from hessbench.errors import HessbenchError
from hessbench.system.files import write_text
from hessbench.system.reading import reading

LATEX = {
    "\\": r"\textbackslash{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "⁻¹": "$^{-1}$",
    "⁻²": "$^{-2}$",
    "Å": r"\AA{}",
    "±": r"$\pm$",
    "†": r"$^\dagger$",
    "≥": r"$\geq$",
    "×": r"$\times$",
    "²": "$^2$",
    "Σ": r"$\Sigma$",
    "ω": r"$\omega$",
    "∂": r"$\partial$",
    "ᵢ": "$_i$",
    "ⱼ": "$_j$",
    "ₖ": "$_k$",
    "ₗ": "$_l$",
    "–": "--",
    "−": "$-$",
}
"""What LaTeX needs in place of a character, or of two that belong together."""
QUANTITY_NAMES = {"energy": "energy", "force": "force", "hessian": "Hessian"}
"""A quantity as people write it within a sentence."""
NUMBER = r"(≥ )?[+−]?[\d,]*(\.\d+)?"
"""Cells of a column that is set flush right."""


def write_table_files(
    name: str,
    title: str,
    footer: str,
    data: str,
    *,
    frame: pd.DataFrame,
    readable: pd.DataFrame,
    tables: Path,
) -> list[Path]:
    """Write tables/<name>.{csv,md,tex} and give the paths.

    Parameters
    ----------
    name
        Name of the table, "table-s1".
    title, footer
        What it shows, and where that comes from.
    data
        The data, for the last column of the CSV file.
    frame
        For the CSV file, one number a cell.
    readable
        For Markdown and LaTeX, text.
    tables
        The folder to write to.
    """
    paths = [tables / f"{name}.{suffix}" for suffix in ("csv", "md", "tex")]
    write_text(paths[0], to_csv(frame.assign(data=data)))
    write_text(paths[1], markdown(title, readable, footer))
    cells = readable.astype(str)
    right = _flush_right(cells)
    cells.columns = [escape(column) for column in readable.columns]
    text = cells.map(escape).to_latex(
        index=False,
        escape=False,
        column_format="".join("r" if number else "l" for number in right),
        position="htbp",
        caption=escape(f"{title}. {footer}"),
        label=f"tab:{name}",
    )
    write_text(paths[2], text)
    return paths


def unit_text(unit: str) -> str:
    """A unit for people: "kcal/mol/Angstrom^2" is "kcal/mol/Å²"."""
    return unit.replace("Angstrom", "Å").replace("^2", "²")


def quantity_cells(frame: pd.DataFrame) -> pd.Series:
    """Name and unit of the columns `quantity` and `unit`, such as "Hessian (kcal/mol/Å²)"."""
    return frame["quantity"].map(QUANTITY_NAMES) + " (" + frame["unit"].map(unit_text) + ")"


def number_cells(values: pd.Series, form: str, missing: str = "") -> list[str]:
    """Cells of numbers in a form such as "{:.2f}", with a minus sign; `missing` where there is none."""
    return [missing if pd.isna(value) else form.format(value).replace("-", "−") for value in values]


def with_spread(values: pd.Series, spreads: pd.Series) -> pd.Series:
    """Cells such as "1.23 ± 0.45"; without the spread where there is none."""
    pairs = zip(values, spreads, strict=True)
    return pd.Series([f"{value:.2f}" + ("" if pd.isna(s) else f" ± {s:.2f}") for value, s in pairs])


def markdown(title: str, readable: pd.DataFrame, footer: str) -> str:
    """A table of text in Markdown, its title above and its footer below."""
    cells = readable.astype(str)
    alignment = ["right" if number else "left" for number in _flush_right(cells)]
    # cells as they are written: tabulate would write large numbers, and names like some, with an exponent
    pipes = cells.to_markdown(index=False, disable_numparse=True, colalign=alignment)
    return f"**{title}**\n\n{pipes}\n\n{footer}\n"


def escape(text: str) -> str:
    """Text as LaTeX."""
    longest_first = "|".join(re.escape(key) for key in sorted(LATEX, key=len, reverse=True))
    return re.sub(longest_first, lambda found: LATEX[found[0]], text)


def to_csv(frame: pd.DataFrame) -> str:
    """CSV text with six significant digits; what is missing is an empty cell."""
    text: str = frame.to_csv(index=False, float_format="%.6g", lineterminator="\n")
    return text


def read_csv(
    path: Path, remedy: str, *, text: Iterable[str], numbers: Iterable[str], optional: Iterable[str] = ()
) -> pd.DataFrame:
    """Read a CSV table that was written here; a text like NA or None is that text.

    Parameters
    ----------
    path
        The file.
    remedy
        What to do about a file that is missing or broken, for the error: "`hessbench table 2` writes it".
    text, numbers, optional
        Columns that it must have: of text, of numbers, of numbers or empty cells. Others are text.

    Raises
    ------
    HessbenchError
        The file is missing or no CSV table, lacks a column, or holds no number where one belongs.
    """
    nowhere = f"does not exist; {remedy}."
    with (
        reading(path, "is no CSV table", remedy, missing=nowhere),
        path.open(newline="", encoding="utf-8-sig") as file,  # spreadsheets put a byte order mark before it
    ):
        rows = list(csv.reader(file, strict=True))
    if not rows:
        raise HessbenchError(f"{path}: is empty; {remedy}.")
    header = rows.pop(0)
    if len(set(header)) < len(header):
        raise HessbenchError(f"{path}: two columns have one name; {remedy}.")
    for place, row in enumerate(rows, 1):
        if len(row) != len(header):
            raise HessbenchError(f"{path}: row {place} has {len(row)} cells of {len(header)}; {remedy}.")
    frame = pd.DataFrame(rows, columns=header)
    numbers, optional = list(numbers), list(optional)
    missing = [column for column in (*text, *numbers, *optional) if column not in frame.columns]
    if missing:
        raise HessbenchError(f"{path}: column {', '.join(missing)} is missing; {remedy}.")
    for column in (*numbers, *optional):
        values = pd.to_numeric(frame[column], errors="coerce").astype(float)
        right = np.isfinite(values) | ((frame[column] == "") & (column in optional))
        if not right.all():
            place = int(np.argmin(right)) + 1
            raise HessbenchError(f"{path}, column {column}: not a number in row {place}; {remedy}.")
        frame[column] = values
    return frame


def same_cells(first: str, second: str) -> bool:
    """Whether two CSV texts hold the same, numbers to four digits."""
    rows = [list(csv.reader(text.splitlines())) for text in (first, second)]
    return [len(row) for row in rows[0]] == [len(row) for row in rows[1]] and all(
        a == b or _close(a, b)
        for one, other in zip(*rows, strict=True)
        for a, b in zip(one, other, strict=True)
    )


def _close(first: str, second: str) -> bool:
    try:
        return math.isclose(float(first), float(second), rel_tol=1e-4)
    except ValueError:
        return False


def _flush_right(cells: pd.DataFrame) -> list[bool]:
    return [bool(cells[column].str.fullmatch(NUMBER).all()) for column in cells]
