"""Cells of the tables that the report shows: read from CSV files as text, and shortened."""

import re
from pathlib import Path

import pandas as pd

from hessbench.errors import DataError
from hessbench.system.reading import reading


def read_cells(path: Path, command: str) -> tuple[pd.DataFrame | None, str]:
    """Cells of a CSV file as text, or why there is none; `command` writes it."""
    missing = f"does not exist; `{command}` writes it."
    try:
        with reading(path, "is no CSV table", f"`{command}` writes it anew", missing=missing):
            return pd.read_csv(path, dtype=str, keep_default_na=False), ""
    except DataError as error:
        return None, str(error)


def is_number(text: str) -> bool:
    """Whether a cell holds a number, perhaps with its spread, or an interval."""
    return re.match(r"[\[≥+−-]? ?\d", text) is not None


def short(text: str) -> str:
    """A number in four significant digits, without an exponent if it is large; other text as it is."""
    try:
        rounded = f"{float(text):.4g}"
    except ValueError:
        return text
    if text.lstrip("-").isdigit():
        return text
    return f"{float(rounded):.0f}" if "e+" in rounded else rounded
