"""`hessbench fetch`: download and verify the published data set."""

from pathlib import Path

import click

from hessbench.datasets.fetch import default_directory, fetch
from hessbench.formats.published import OPENREACT


@click.command(name="fetch")
@click.option(
    "--to",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    help=f"Where to keep downloads.  [default: {default_directory(OPENREACT)}]",
)
@click.option(
    "--source", help="Mirror (http://, https://) or copy (directory, file://); default HESSBENCH_DATA."
)
def command(directory: Path | None, source: str | None) -> None:
    """Fetch OpenREACT-CHON-EFH, 1.9 GB; what is there already is only verified."""
    files = fetch(OPENREACT, directory, source=source)
    for file in files:
        verdict = "as published" if file.published else "NOT the published file, used as your own"
        click.echo(f"{file.path}: {verdict}, md5 {file.md5}")
    if all(file.published for file in files):
        click.echo(f"{OPENREACT.licence}; cite {OPENREACT.citation}")
