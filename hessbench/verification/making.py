"""All tables of a run, in the order in which they must be made."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from hessbench.experiments.errors.tables import write_ensembles_table
from hessbench.results.reader import Results
from hessbench.results.reproduce import available, load
from hessbench.verification.metrics import write_metrics
from hessbench.verification.robustness import write_robustness_table
from hessbench.verification.single_ts import write_single_ts_table
from hessbench.verification.verdicts import make_verdicts

BESIDE = {
    "ensembles": write_ensembles_table,
    "robustness": write_robustness_table,
    "single-ts": write_single_ts_table,
    "verdicts": make_verdicts,
    "metrics": write_metrics,
}
"""Tables that the paper does not have; metrics come last, they are read from the others."""


def make_tables(results: Results, tables: Path, names: Sequence[str] = ()) -> Iterator[Path]:
    """Write tables and give their paths.

    Parameters
    ----------
    results
        Results of the run.
    tables
        The folder to write to.
    names
        Numbers of tables of the paper, or names of `BESIDE`; none: all.

    Raises
    ------
    HessbenchError
        There is no such table, or its results cannot be used.
    """
    for name in names or [*available("table"), *BESIDE]:
        make = BESIDE[name] if name in BESIDE else load("table", name).make
        yield from make(results=results, tables=tables)
