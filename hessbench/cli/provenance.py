"""`hessbench provenance`: record what the run is made from."""

from pathlib import Path

import click

from hessbench.config.options import results_option
from hessbench.profiles.provenance import run_of
from hessbench.profiles.schema import PARAMS, load_profile
from hessbench.results.run import write_run


@click.command()
@results_option
def command(results: Path) -> None:
    """Record in results/run.json what the run is made from: data, settings, code, versions and machine.

    Figures, tables, verdicts and the report show only results that were made from the same.
    """
    click.echo(write_run(results, run_of(load_profile(PARAMS), results)))
