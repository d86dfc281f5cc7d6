"""`hessbench table`: regenerate tables from results."""

from pathlib import Path

import click

from hessbench.config.options import results_option
from hessbench.results.reader import Results
from hessbench.verification.making import make_tables


@click.command(name="table")
@click.argument("names", nargs=-1, metavar="NAME...")
@results_option
@click.option("--tables", type=click.Path(path_type=Path), default=Path("tables"), show_default=True)
def command(names: tuple[str, ...], results: Path, tables: Path) -> None:
    """Regenerate tables, e.g. `hessbench table 2`, from results; without NAME, all of them.

    NAME is the number of a table of the paper, `ensembles` (RMSE and MAE of every ensemble of the run),
    `robustness` (errors and verdicts by the recipe of the training, if the profile has other recipes),
    `single-ts` (claims about the single TS by unit and features of the models, if it has variants),
    `verdicts` (each claim of the paper, reproduced or not) or `metrics` (the errors and verdicts that
    `dvc metrics diff` compares).
    """
    for path in make_tables(Results(results), tables, names):
        click.echo(path)
