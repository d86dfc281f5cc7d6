"""`hessbench dataset`: put the active data set in place."""

import click

from hessbench.config.base import load_section
from hessbench.datasets.active import prepare_active
from hessbench.datasets.settings import DataConfig


@click.command()
def command() -> None:
    """Lay out the data set that params.yaml names in data/active, every reaction checked."""
    for name, identifier in prepare_active(load_section(DataConfig, "data")).items():
        click.echo(f"{name}: {identifier}")
