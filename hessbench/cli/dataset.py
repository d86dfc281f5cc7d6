"""`hessbench dataset`: put the active data set in place."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version

import click

from hessbench.config.base import load_section
from hessbench.datasets.active import prepare_active
from hessbench.datasets.settings import DataConfig
from hessbench.results.store.runinfo import active_profile, write_run_info
from hessbench.system.machine import hardware_line

PACKAGES = ("hessbench", "torch", "torchani", "ase", "numpy", "tblite", "sella", "numba")
"""Packages whose versions are recorded with the results."""


@click.command()
def command() -> None:
    """Lay out the data set that params.yaml names in data/active, every reaction checked.

    What the run is made with (profile, data, versions, machine) goes to results/run.json.
    """
    identities = prepare_active(load_section(DataConfig, "data"))
    profile = active_profile()
    write_run_info(
        Path("results"), profile=profile, data=identities, versions=versions(), hardware=hardware_line()
    )
    for name, identity in identities.items():
        click.echo(f"{name}: {identity}")


def versions() -> dict[str, str]:
    """Versions of Python and of the packages; some are optional."""
    found = {"python": python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found
