"""`hessbench pin`: make the present values the expected ones."""

from pathlib import Path

import click

from hessbench.verification.pinned import pin, write_pinned


@click.command(name="pin")
@click.option(
    "--from",
    "runs",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Project directory of a run (with tables/ and results/run.json); may be given several times.",
)
@click.argument("more", nargs=-1, type=click.Path(path_type=Path, exists=True, file_okay=False))
def command(runs: tuple[Path, ...], more: tuple[Path, ...]) -> None:
    """Write reproduce/pinned/<profile>.csv from the present tables, or with `--from DIR DIR DIR` from runs.

    Tolerances come from the spread over models and runs; the rule stands in hessbench/verification/pinned.py.
    """
    frame = pin([*runs, *more] or [Path()])
    click.echo(f"{write_pinned(frame)}: {len(frame)} values from {frame['runs'].iloc[0]} run(s)")
