"""`hessbench convert`: bring a foreign data file into the one layout."""

from pathlib import Path

import click

from hessbench.cli.choices import choices
from hessbench.errors import HessbenchError
from hessbench.formats.convert import OPTIONS, convert
from hessbench.formats.known import open_data
from hessbench.formats.readers.source import Choice
from hessbench.formats.unit_names import Units, known_units

FIELDS = ("name", "version", "level", "origin", "licence", "citation")


def _options(function: click.decorators.FC) -> click.decorators.FC:
    """Add an option for each unit, and for each field of the metadata."""
    for quantity, option in reversed(OPTIONS.items()):
        function = click.option(
            f"--{option}-unit",
            quantity,
            type=click.Choice(list(known_units(quantity))),
            help=f"Unit of the {quantity}, if the file says none or a wrong one.",
        )(function)
    for field in reversed(FIELDS):
        function = click.option(f"--{field}", help=f"{field.capitalize()} of the data set.")(function)
    return function


@click.command(name="convert")
@click.argument("source", type=click.Path(path_type=Path))
@click.argument("target", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--force", is_flag=True, help="Replace TARGET if it exists.")
@click.option(
    "--believe",
    is_flag=True,
    help="Take units and labels as they are stated; checks only warn, and TARGET records it.",
)
@click.option(
    "--skip-bad", is_flag=True, help="Leave out records that fail a check; the output and TARGET list them."
)
@choices
@_options
def command(
    source: Path,
    target: Path,
    force: bool,
    believe: bool,
    skip_bad: bool,
    choice: Choice,
    **options: str | None,
) -> None:
    """Convert SOURCE, of any known format, to TARGET in the one layout.

    Formats are recognised by content: HORM, Hessian QM9, Transition1x, extended XYZ, Gaussian and Q-Chem
    output and ORCA's Hessians (or a directory of them), and OpenREACT-CHON-EFH as published. Units are
    verified by the numbers.
    """
    if target.exists() and (not force or not target.is_file() or target.samefile(source)):
        remedy = "choose another name" if force else "choose another name, or replace it with --force"
        raise HessbenchError(f"{target} exists; {remedy}.")
    stated = Units(**{quantity: options[quantity] for quantity in OPTIONS})
    metadata = {field: value for field in FIELDS if (value := options[field]) is not None}
    with open_data(source, choice) as opened:
        result = convert(opened, target, stated, believe, skip_bad, metadata)
    for finding in result.findings:
        believed = believe and finding.declared is not None
        unit = finding.declared if believed else finding.found
        unit = unit or f"{finding.declared} (as stated)"
        click.echo(f"{finding.quantity}: {unit}; {finding.outcome}: {finding.evidence}")
    for note in result.notes:
        click.echo(f"note: {note}")
    for item in result.left_out:
        click.echo(f"left out: {item}")
    for problem in result.problems:
        click.echo(f"warning: {problem}", err=True)
    counts = f"{result.reactions} reactions, {result.structures} structures"
    if result.left_out:
        counts += f", {len(result.left_out)} left out,"
    click.echo(f"{target}: {counts} from {opened.format}")
