"""`hessbench check`: the gate."""

import sys
from pathlib import Path
from typing import Literal

import click

from hessbench.errors import HessbenchError
from hessbench.results.error_tables import read_tables
from hessbench.results.published import read_published
from hessbench.results.stored import StoredResults
from hessbench.verification.comparison import WITHIN, compare
from hessbench.verification.evidence import Evidence
from hessbench.verification.pinned import pinned_path, read_pinned
from hessbench.verification.report import gate_report
from hessbench.verification.verdicts import verdicts, write_verdicts


@click.command(name="check")
@click.option("--profile", help="Profile that the results must be of; default: the one they are of.")
@click.option("--format", "form", type=click.Choice(["text", "markdown"]), default="text", show_default=True)
@click.option("--results", type=click.Path(path_type=Path), default=Path("results"), show_default=True)
@click.option("--tables", type=click.Path(path_type=Path), default=Path("tables"), show_default=True)
def command(profile: str | None, form: Literal["text", "markdown"], results: Path, tables: Path) -> None:
    """Compare the tables with reproduce/pinned/<profile>.csv, and with the paper's numbers and claims.

    A model brought with `hessbench evaluate --calculator` is compared too, once tables/ensembles.csv has it.
    Writes tables/verdicts.{csv,md}. Exit status 1 when a value is out of tolerance, missing or extra; the
    paper's numbers and a claim that is not reproduced do not fail the gate. Exit status 2 when nothing can be
    compared.
    """
    stored = StoredResults(results)
    if profile is not None and profile != stored.run.profile:
        raise HessbenchError(
            f"{results} holds results of profile {stored.run.profile}, not {profile}; "
            f"`make repro PROFILE={profile}` makes them."
        )
    found = read_tables(tables)
    claims = verdicts(Evidence(stored, read_published()))
    write_verdicts(claims, stored, tables)
    comparison = compare(found, read_pinned(stored.run))
    click.echo(gate_report(comparison, found, claims, stored.footer, form), nl=False)
    if (comparison["status"] != WITHIN).any():
        click.echo(f"hessbench: values differ from {pinned_path(stored.run.profile)}", err=True)
        sys.exit(1)
