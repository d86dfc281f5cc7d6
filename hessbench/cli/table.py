"""`hessbench table`: regenerate tables from results."""

from pathlib import Path

import click

from hessbench.config.options import results_option
from hessbench.experiments.errors.tables import write_ensembles_table
from hessbench.results.reader import Results
from hessbench.results.reproduce import available, load
from hessbench.verification.metrics import write_metrics
from hessbench.verification.verdicts import make_verdicts

BESIDE = {"ensembles": write_ensembles_table, "verdicts": make_verdicts, "metrics": write_metrics}
"""Tables that the paper does not have; metrics come last, they are read from the others."""


@click.command(name="table")
@click.argument("names", nargs=-1, metavar="NAME...")
@results_option
@click.option("--tables", type=click.Path(path_type=Path), default=Path("tables"), show_default=True)
def command(names: tuple[str, ...], results: Path, tables: Path) -> None:
    """Regenerate tables, e.g. `hessbench table 2`, from results; without NAME, all of them.

    NAME is the number of a table of the paper, `ensembles` (RMSE and MAE of every ensemble of the run),
    `verdicts` (each claim of the paper, reproduced or not) or `metrics` (the errors and verdicts that
    `dvc metrics diff` compares).
    """
    found = Results(results)
    for name in names or [*available("table"), *BESIDE]:
        make = BESIDE[name] if name in BESIDE else load("table", name).make
        for path in make(results=found, tables=tables):
            click.echo(path)
