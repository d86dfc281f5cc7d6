"""Which heated molecule of an archive is heated anew."""

import pandas as pd
import pytest

from hessbench.archive.rerun_heating import _first_to_break

ENDS = {"censored": 14_000.0, "failed": 900.0, "close contact": 500.0, "optimization failed": 0.0}


@pytest.mark.parametrize(
    ("present", "chosen"),
    [
        (list(ENDS), "close contact"),
        (["censored", "failed", "optimization failed"], "failed"),
        (["censored", "optimization failed"], "optimization failed"),
        (["censored"], "censored"),
    ],
)
def test_the_first_that_broke_in_dynamics_is_chosen(present: list[str], chosen: str) -> None:
    rows = [
        {
            "status": status,
            "time_fs": ENDS[status],
            "loss": "E-F",
            "seed": 0,
            "molecule": status,
            "replica": 0,
        }
        for status in present
    ]
    assert _first_to_break(pd.DataFrame(rows).assign(replica=0))["status"] == chosen
