"""`hessbench figure`: draw figures of the paper anew from results."""

import os
from pathlib import Path

import click

from hessbench.errors import HessbenchError
from hessbench.plotting.redraw import redraw_all
from hessbench.results import reproduce


@click.command(name="figure")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option(
    "--root", type=click.Path(path_type=Path), default=Path(), help="Folder that holds results/ and models/."
)
@click.option("--figures", type=click.Path(path_type=Path), default=Path("figures"), show_default=True)
def command(names: tuple[str, ...], root: Path, figures: Path) -> None:
    """Draw figures anew from results: `hessbench figure 3 s5`, or `hessbench figure all`.

    A figure whose results are missing or broken is named on stderr with file and column, the others are
    drawn, and the exit status is 2.
    """
    wanted = reproduce.available("figure") if "all" in names else list(dict.fromkeys(names))
    for name in wanted:
        reproduce.load("figure", name)
    failed = []
    for name, outcome in redraw_all(wanted, root, figures, processes=os.cpu_count() or 1):
        if isinstance(outcome, HessbenchError):
            failed.append(name)
            click.echo(f"figure {name}: not drawn: {outcome}", err=True)
        else:
            click.echo(f"figure {name}: {', '.join(str(path) for path in outcome)}")
    if failed:
        raise HessbenchError(
            f"{len(failed)} of {len(wanted)} figures could not be drawn: {', '.join(failed)}."
        )
