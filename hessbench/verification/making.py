"""All tables of a run, in the order in which they must be made."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from hessbench.experiments.errors.tables import TABLES, tables_of_other_results, write_ensembles_table
from hessbench.results.reader import MissingResultsError, Results
from hessbench.results.reproduce import FOLDER, available, load
from hessbench.results.table_files import same_cells
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


def stale_tables(results: Results, tables: Path) -> list[str]:
    """Which of the tables in a folder are not what the results give, each as a sentence; see `make_tables`.

    Verdicts and metrics are left out: they follow from the others, and the gate writes the former anew.

    Raises
    ------
    HessbenchError
        Results cannot be used.
    """
    problems = tables_of_other_results(results, tables)
    names = [path.stem.removeprefix("table_") for path in sorted(FOLDER.glob("table_*.py"))]
    files = {name: tables / f"table-{name}.csv" for name in [*names, "robustness", "single-ts"]}
    for name, path in files.items():
        if path.stem in TABLES or not path.exists():
            continue
        with TemporaryDirectory() as scratch:
            try:
                list(make_tables(results, Path(scratch), [name]))
            except MissingResultsError as error:
                problems.append(f"{path} cannot be of these results: {error}")
                continue
            made = Path(scratch) / path.name
            # A profile may have nothing to put into one.
            if made.exists() and not same_cells(*(item.read_text(encoding="utf-8") for item in (path, made))):
                problems.append(
                    f"{path} is not what {results.folder} gives; `hessbench table {name}` writes it anew."
                )
    return problems
