import json

import pandas as pd
import pytest

from hessbench.errors import HessbenchError
from hessbench.experiments.errors.tables import write_ensembles_table, write_rmse_table
from hessbench.results.reader import Results
from hessbench.verification.metrics import write_metrics
from hessbench.verification.verdicts import make_verdicts
from tests.synthetic_errors import PAPER, write_run


@pytest.fixture
def written(tmp_path):
    results = Results(write_run(tmp_path / "results", PAPER))
    tables = tmp_path / "tables"
    tables.mkdir()
    for name in ("table-2", "table-3", "table-4"):
        write_rmse_table(name, "Errors", results=results, tables=tables)
    write_ensembles_table(results=results, tables=tables)
    make_verdicts(results=results, tables=tables)
    return results, tables


def test_metrics_are_the_numbers_of_the_tables(written):
    results, tables = written
    (path,) = write_metrics(results=results, tables=tables)
    metrics = json.loads(path.read_text())
    table = pd.read_csv(tables / "table-4.csv")
    for row in table.to_dict("records"):
        cell = metrics["test RMSE"]["nms"][row["loss"]][f"{row['quantity']} ({row['unit']})"]
        assert cell == row["rmse"]
    verdicts = pd.read_csv(tables / "verdicts.csv")
    assert {claim: found["verdict"] for claim, found in metrics["verdicts"].items()} == dict(
        zip(verdicts["claim"], verdicts["verdict"], strict=True)
    )
    assert metrics["verdicts"]["nms_force_gain"]["size"] == "consistent"
    assert metrics["claims"]["reproduced"] == (verdicts["verdict"] == "reproduced").sum() > 0
    assert sum(metrics["claims"].values()) == len(verdicts)


def test_metrics_without_a_table_name_it_and_write_nothing(written):
    results, tables = written
    (tables / "verdicts.csv").unlink()
    with pytest.raises(HessbenchError, match=r"verdicts\.csv.*hessbench table verdicts"):
        write_metrics(results=results, tables=tables)
    assert not (tables / "metrics.json").exists()
