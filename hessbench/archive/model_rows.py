"""Rows of an archived results table whose models the archive holds."""

from pathlib import Path

import pandas as pd

from hessbench.archive.layout import RESULTS, ArchivedModel, archived_models
from hessbench.errors import HessbenchError
from hessbench.results.store.tables import Table, read_table

Models = dict[tuple[str, int], ArchivedModel]
"""By what tables call the loss, and seed."""


def rows_with_models(archive: Path, table: Table, **kept: str) -> tuple[Models, pd.DataFrame]:
    """Models of an archive, and the rows of a table that they made.

    Parameters
    ----------
    archive, table
        The archive, and which of its tables.
    kept
        Column to the only value that counts.

    Raises
    ------
    HessbenchError
        The table is missing or damaged, or none of its rows is of an archived model.
    """
    models = {(model.label, model.seed): model for model in archived_models(archive)}
    rows = read_table(archive / RESULTS, table)
    for column, value in kept.items():
        rows = rows[rows[column] == value]
    rows = rows[[key in models for key in zip(rows["loss"], rows["seed"], strict=True)]]
    if rows.empty:
        raise HessbenchError(f"{table.path(archive / RESULTS)}: no rows of an archived model.")
    return models, rows
