"""`hessbench dataset`: put the active data set in place."""

from importlib.metadata import version
from pathlib import Path

import click

from hessbench.config.base import load_section, read_yaml
from hessbench.config.data import DataConfig
from hessbench.data.active import prepare_active
from hessbench.runinfo import write_run_info

PACKAGES = ("hessbench", "torch", "torchani", "ase", "numpy")
"""Packages whose versions are recorded with the results."""


@click.command()
def command() -> None:
    """Lay out the data set that params.yaml names in data/active, every reaction checked.

    What the run is made with (profile, data, versions) goes to results/run.json.
    """
    identities = prepare_active(load_section(DataConfig, "data"))
    profile = str(read_yaml(Path("params.yaml")).get("profile", "unnamed"))
    versions = {package: version(package) for package in PACKAGES}
    write_run_info(Path("results"), profile=profile, data=identities, versions=versions)
    for name, identity in identities.items():
        click.echo(f"{name}: {identity}")
