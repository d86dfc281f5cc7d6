"""`hessbench data`: check data files."""

from pathlib import Path

import click

from hessbench.data.layout import verify as verify_file


@click.group()
def command() -> None:
    """Check data files in the layout of docs/data-layout.md."""


@command.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
def verify(files: tuple[Path, ...]) -> None:
    """Read every reaction of FILES, check it, and compare the content with the recorded checksum."""
    for path in files:
        with verify_file(path) as file:
            recorded = "as recorded" if file.records_checksum else "none recorded"
            click.echo(f"{path}: {file.identifier}, {len(file)} reactions, checksum {recorded}")
