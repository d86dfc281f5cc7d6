import pandas as pd
import pytest

from hessbench.results.evidence import Finding, column, require
from hessbench.results.statistics import Estimate
from hessbench.results.store.tables import NUMBER, ResultsError, Table

TABLE = Table("path", {"energy": NUMBER})


@pytest.mark.parametrize(
    ("low", "high", "below", "holds"),
    [
        (1.1, 1.3, False, True),
        (0.9, 1.3, False, None),
        (0.7, 0.9, False, False),
        (0.7, 0.9, True, True),
        (1.1, 1.3, True, False),
        (0.9, 1.3, True, None),
        (1.0, 1.3, False, None),
    ],
)
def test_a_finding_holds_if_its_whole_interval_does(low, high, below, holds):
    found = Finding("ratio", Estimate((low + high) / 2, low, high), 1.0, below=below)
    assert found.holds is holds
    assert str(found).endswith(f"claimed {'below' if below else 'above'} 1")


def test_rows_that_a_statistic_needs_are_named():
    assert column(pd.Series([1, 2]), TABLE, "E-F").tolist() == [[1.0], [2.0]]
    with pytest.raises(ResultsError, match=r"results/path\.parquet: no rows of E-F"):
        column(pd.Series(dtype=float), TABLE, "E-F")
    with pytest.raises(ResultsError, match=r"no rows of the reference"):
        require(False, TABLE, "the reference")
