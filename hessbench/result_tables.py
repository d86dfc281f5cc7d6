"""Reading results tables (parquet) with the checks that every figure, table and verdict relies on."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from hessbench.errors import HessbenchError

QUANTITIES = ("energy", "force", "hessian")
UNITS = {"energy": "kcal/mol", "force": "kcal/mol/Angstrom", "hessian": "kcal/mol/Angstrom^2"}
SETS = ("rtp", "irc", "nms")
LABELS = {"e": "E", "ef": "E-F", "efh": "E-F-H", "efhvp": "E-F-HVP"}
"""Loss, as named in paths and settings, to its label in tables."""
PAPER_TRAININGS = ("E", "E-F", "E-F-H")

ERRORS = "errors"
"""Folder of the errors tables inside the results directory."""
ERROR_COLUMNS = {
    "training": "text",
    "fraction": "integer",
    "seed": "integer",
    "set": "text",
    "reaction": "text",
    "structure": "integer",
    "quantity": "text",
    "squared": "number",
    "absolute": "number",
    "count": "integer",
}
"""One row per structure, quantity and model: sums of squared and absolute errors over `count` elements."""


def read_results(path: Path, columns: Mapping[str, str], *, stage: str) -> pd.DataFrame:
    """Read one results table and check its columns.

    Parameters
    ----------
    path
        A parquet file.
    columns
        Column name to kind: ``text``, ``integer``, ``number`` (finite) or ``flag``; further columns are left out.
    stage
        The DVC stage that writes the file, named in errors as the remedy.

    Raises
    ------
    HessbenchError
        The file is missing, is no parquet, lacks a column, holds a column of another kind, or a missing value,
        NaN or infinity; the message names file and column.
    """
    remedy = f"`dvc repro {stage}` writes it anew"
    try:
        schema = pq.read_schema(path)
    except FileNotFoundError:
        raise HessbenchError(f"{path} does not exist; `dvc repro {stage}` writes it.") from None
    except (pa.ArrowInvalid, OSError) as error:
        raise HessbenchError(f"{path} cannot be read as parquet ({error}); {remedy}.") from None
    missing = [name for name in columns if name not in schema.names]
    if missing:
        raise HessbenchError(
            f"{path}: column {', '.join(missing)} is missing (found {', '.join(schema.names)}); {remedy}."
        )
    frame = pd.read_parquet(path, columns=list(columns))
    for name, kind in columns.items():
        _check_column(frame[name], kind, f"{path}, column {name}", remedy)
    if frame.empty:
        raise HessbenchError(f"{path} holds no rows; {remedy}.")
    return frame


def read_errors(path: Path) -> pd.DataFrame:
    """Read one errors table (`ERROR_COLUMNS`), e.g. results/errors/efh-80.parquet.

    Raises
    ------
    HessbenchError
        As `read_results`; also for negative sums, empty counts and a row that stands twice.
    """
    frame = read_results(path, ERROR_COLUMNS, stage="evaluate")
    for name, lowest in (("squared", 0), ("absolute", 0), ("count", 1)):
        if (frame[name] < lowest).any():
            raise HessbenchError(
                f"{path}, column {name}: values below {lowest}; `dvc repro evaluate` writes it anew."
            )
    key = ["training", "fraction", "seed", "set", "reaction", "structure", "quantity"]
    twice = frame.duplicated(key)
    if twice.any():
        row = frame.loc[twice, key].iloc[0].to_dict()
        raise HessbenchError(
            f"{path}: the row {row} stands twice; `dvc repro evaluate` writes the file anew."
        )
    return frame


def _check_column(column: pd.Series, kind: str, place: str, remedy: str) -> None:
    of_kind = {
        "text": pd.api.types.is_string_dtype,
        "integer": pd.api.types.is_integer_dtype,
        "number": lambda c: pd.api.types.is_numeric_dtype(c) and not pd.api.types.is_bool_dtype(c),
        "flag": pd.api.types.is_bool_dtype,
    }[kind]
    bad = column.isna()
    if kind == "number" and of_kind(column):
        bad |= column.abs() == float("inf")
    if bad.any():
        raise HessbenchError(f"{place}: not finite in {int(bad.sum())} of {len(column)} rows; {remedy}.")
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.cat.categories.to_series()
    if not of_kind(column):
        raise HessbenchError(f"{place}: expected {kind}, found {column.dtype}; {remedy}.")
