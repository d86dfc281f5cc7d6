"""`hessbench leaderboard`: potentials side by side."""

from pathlib import Path

import click

from hessbench.errors import HessbenchError
from hessbench.report.leaderboard import write_leaderboard
from hessbench.report.score import read_scores


@click.command(name="leaderboard")
@click.option(
    "--scores",
    type=click.Path(path_type=Path),
    default=Path("leaderboard"),
    show_default=True,
    help="Folder of the scores that `hessbench score` wrote.",
)
@click.option(
    "--output", type=click.Path(path_type=Path), default=Path("report/leaderboard.html"), show_default=True
)
def command(scores: Path, output: Path) -> None:
    """Write report/leaderboard.html: one page that sorts, works offline, and has the cards below."""
    found = read_scores(scores)
    if not found:
        raise HessbenchError(f"{scores}: holds no scores; `hessbench score PREDICTIONS` writes them.")
    write_leaderboard(found, output)
    click.echo(f"{output}: {len(found)} potential{'s' if len(found) > 1 else ''}")
