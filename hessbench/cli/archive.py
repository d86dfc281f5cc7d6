"""`hessbench archive`: keep a run, and verify what was kept."""

import os
import sys
from pathlib import Path

import click

from hessbench.archive.create import create as create_archive
from hessbench.archive.create import redraw as redraw_archive
from hessbench.archive.create import sizes
from hessbench.archive.layout import require_archive
from hessbench.archive.verify import SHOWN, as_table
from hessbench.archive.verify import verify as verify_archive
from hessbench.pretrained import ARCHIVE
from hessbench.results.run import read_run

argument = click.argument(
    "archive", type=click.Path(path_type=Path, file_okay=False), default=ARCHIVE, required=False
)


@click.group()
def command() -> None:
    """Keep models, results, figures and tables of a run in one folder, and verify them."""


@command.command()
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the archive.  [default: archive/PROFILE]",
)
def create(output: Path | None) -> None:
    """Write the archive of the present run.

    It holds the models of the largest share of the data, all results tables, figures, tables, verdicts and
    the report made from them, settings, hardware and times, described by an RO-Crate. Numbers of single
    structures are rounded by 6e-5 of themselves at most; predictions are left out.
    """
    target = output or ARCHIVE.parent / read_run(Path("results")).profile
    create_archive(Path(), target, os.cpu_count() or 1)
    _tell(target)


@command.command()
@argument
def redraw(archive: Path) -> None:
    """Make figures, tables and report of ARCHIVE anew from its results, after an edit of what makes them."""
    require_archive(archive)
    redraw_archive(archive, os.cpu_count() or 1)
    _tell(archive)


@command.command()
@argument
def verify(archive: Path) -> None:
    """Check ARCHIVE without training: minutes on two cores.

    Checks every checksum; evaluates the models anew on embedded data, reaction by reaction; relaxes a band,
    computes a spectrum and heats a molecule anew; draws all figures, tables and verdicts anew from the
    results and compares them byte by byte. Exit status 1 when something differs, each named with file, row,
    and both values.
    """
    checks = []
    for check in verify_archive(archive, os.cpu_count() or 1):
        checks.append(check)
        for difference in check.found.differences[:SHOWN]:
            click.echo(f"differs: {difference}", err=True)
        if len(check.found.differences) > SHOWN:
            click.echo(f"differs: {len(check.found.differences) - SHOWN} more of {check.what}", err=True)
    click.echo(as_table(checks))
    failed = [check.what for check in checks if check.found.differences]
    seconds = sum(check.seconds for check in checks)
    if failed:
        click.echo(f"{archive}: not as archived: {', '.join(failed)} ({seconds:.0f} s)")
        sys.exit(1)
    click.echo(f"{archive}: all as archived ({seconds:.0f} s)")


def _tell(archive: Path) -> None:
    """Say how large the archive is, by its parts."""
    found = sizes(archive)
    parts = ", ".join(f"{part} {size / 1e6:.1f}" for part, size in found.items())
    click.echo(f"{archive}: {sum(found.values()) / 1e6:.1f} MB ({parts})")
