"""The numbers that two runs are compared by: test errors and verdicts, for `dvc metrics diff`."""

import json
from pathlib import Path

from hessbench.experiments.errors.tables import TABLES, USER_MODELS, read_tables
from hessbench.results.reader import Results
from hessbench.results.table_files import read_csv
from hessbench.system.files import write_text
from hessbench.verification.verdicts import VERDICTS

FILE = "metrics.json"


def write_metrics(*, results: Results, tables: Path) -> list[Path]:
    """Write tables/metrics.json from the tables of errors and of verdicts, and give its path.

    Errors are root mean squares with the most training data, under test set, loss and quantity with its
    unit; a claim has its verdict, direction and size, and the number of each verdict stands beside.

    Parameters
    ----------
    results
        Results of the run, which the tables are of.
    tables
        The folder that holds the tables and gets the file.

    Raises
    ------
    HessbenchError
        A table is missing or cannot be used; nothing is written then.
    """
    errors: dict[str, dict[str, dict[str, float]]] = {}
    for row in read_tables(tables).to_dict("records"):
        test_set = (TABLES | USER_MODELS)[row["table"]]
        loss = errors.setdefault(test_set, {}).setdefault(row["loss"], {})
        loss[f"{row['quantity']} ({row['unit']})"] = row["rmse"]
    columns = ("claim", "verdict", "direction", "size", "testable")
    frame = read_csv(
        tables / "verdicts.csv", "`hessbench table verdicts` writes it", text=columns, numbers=()
    )
    content = {
        "test RMSE": errors,
        "claims": {verdict: int((frame["verdict"] == verdict).sum()) for verdict in VERDICTS},
        "verdicts": {row.pop("claim"): row for row in frame[list(columns)].to_dict("records")},
    }
    path = tables / FILE
    write_text(path, json.dumps(content, indent=1) + "\n")
    return [path]
