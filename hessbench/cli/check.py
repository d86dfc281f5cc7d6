"""`hessbench check`: the gate."""

import sys
from pathlib import Path
from typing import Literal

import click

from hessbench.config.options import results_option
from hessbench.errors import HessbenchError
from hessbench.experiments.errors.tables import read_tables, tables_of_other_results
from hessbench.results.reader import Results
from hessbench.verification.comparison import WITHIN, compare
from hessbench.verification.pinned import OtherDataError, pinned_path, read_pinned
from hessbench.verification.report import gate_report
from hessbench.verification.verdicts import verdicts, write_verdicts


@click.command(name="check")
@click.option("--profile", help="Profile that the results must be of; default: the one they are of.")
@click.option("--format", "form", type=click.Choice(["text", "markdown"]), default="text", show_default=True)
@results_option
@click.option("--tables", type=click.Path(path_type=Path), default=Path("tables"), show_default=True)
def command(profile: str | None, form: Literal["text", "markdown"], results: Path, tables: Path) -> None:
    """Compare the tables with reproduce/pinned/<profile>.csv, and with the paper's numbers and claims.

    A user's model (`hessbench evaluate --calculator`) is compared too, once tables/ensembles.csv has it.
    Writes tables/verdicts.{csv,md}. Exit status 1 when a value is out of tolerance, missing or extra, when a
    table is not what the results give, or when the pinned values are of other data; the paper's numbers and a
    claim that is not reproduced do not fail the gate. Exit status 2 when a file is missing or broken.
    """
    found = Results(results)
    run = found.run
    if profile is not None and profile != run.profile:
        raise HessbenchError(
            f"{results} holds results of profile {run.profile}, not {profile}; "
            f"`make repro PROFILE={profile}` makes them."
        )
    values = read_tables(tables)
    claims = verdicts(found)
    write_verdicts(claims, found, tables)
    problems = tables_of_other_results(found, tables)
    try:
        comparison = compare(values, read_pinned(run))
    except OtherDataError as error:
        problems.append(str(error))
    else:
        click.echo(gate_report(comparison, values, claims, found.footer, form), nl=False)
        if (comparison["status"] != WITHIN).any():
            problems.append(f"values differ from {pinned_path(run.profile)}")
    for problem in problems:
        click.echo(f"hessbench: {problem}", err=True)
    if problems:
        sys.exit(1)
