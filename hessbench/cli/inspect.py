"""`hessbench inspect`: say what is in a data file."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from hessbench.cli.choices import choices
from hessbench.errors import HessbenchError
from hessbench.formats.inspect import inspect_data
from hessbench.formats.readers.source import Choice


@click.command(name="inspect")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@choices
def command(file: Path, as_json: bool, choice: Choice) -> None:
    """Say what is in FILE, of any known format.

    Each check of units and labels passed, failed or cannot tell; what it cannot tell, the label decides.
    The exit status is 1 if something is wrong with it, 2 if it cannot be read at all.
    """
    try:
        report = inspect_data(file, choice)
    except HessbenchError as error:
        if as_json:
            click.echo(json.dumps({"path": str(file), "problems": [str(error)]}, indent=2))
        raise
    click.echo(json.dumps(report, indent=2) if as_json else _text(report))
    sys.exit(1 if report["problems"] else 0)


def _text(report: dict[str, Any]) -> str:
    metadata, points = report["metadata"], report["stationary"]
    structures, hessians = report["structures"], report["hessians"]
    kinds = f" ({points['minima']} minima, {points['transition_states']} transition states, "
    kinds += f"{points['higher_saddles']} of higher order)"
    lines = [
        f"{report['path']}: {report['format']}",
        f"data set    {metadata['name']}, version {metadata['version']}, {metadata['licence']}",
        f"level       {metadata['level']}",
        f"content     {report['reactions']:,} reactions, {structures:,} structures, "
        f"{'all' if hessians == structures else f'{hessians:,}'} with a Hessian",
        f"elements    {', '.join(f'{symbol} {count:,}' for symbol, count in report['elements'].items())}",
        f"sizes       {report['atoms'][0]} - {report['atoms'][1]} atoms",
        f"stationary  {points['optimised']:,} of {structures:,} structures{kinds if hessians else ''}",
    ]
    if report["checksum"]:
        lines.insert(3, f"checksum    {report['checksum']}")
    for unit in report["units"]:
        lines.append(
            f"{unit['quantity']:<12}declared {unit['declared'] or 'nothing'}, found "
            f"{unit['found'] or 'nothing'}: {unit['outcome']}; {unit['evidence']}"
        )
    for name, counts in report["checks"].items():
        told = ", ".join(f"{count:,} {outcome}" for outcome, count in counts.items() if count)
        lines.append(f"{name:<12}{told}")
    lines += [f"note        {note}" for note in report["notes"]]
    problems = report["problems"]
    lines += [f"problem     {problem}" for problem in problems] or ["problems    none"]
    return "\n".join(lines)
