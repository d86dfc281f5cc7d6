"""`hessbench report`: write the report from results, figures and tables."""

from pathlib import Path

import click

from hessbench.report.content import gather
from hessbench.report.page import write_report


@click.command(name="report")
@click.option(
    "--root", type=click.Path(path_type=Path), default=Path(), help="Folder that holds results/ and models/."
)
@click.option("--figures", type=click.Path(path_type=Path), default=Path("figures"), show_default=True)
@click.option("--tables", type=click.Path(path_type=Path), default=Path("tables"), show_default=True)
@click.option(
    "--output", type=click.Path(path_type=Path), default=Path("report/index.html"), show_default=True
)
@click.option(
    "--paper-size",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Verdicts of an archived run at the paper's size, such as archive/full/tables/verdicts.csv: "
    "the report leads with them, and shows them beside those of this run.",
)
def command(root: Path, figures: Path, tables: Path, output: Path, paper_size: Path | None) -> None:
    """Write report/index.html: verdicts, figures, tables, learning curves, molecules to turn in 3D.

    It shows what is there; in the place of what is not stands the reason and the command that makes it.
    """
    content = gather(root, figures, tables, paper_size)
    write_report(content, output)
    absent = [
        f"{item.kind} {item.name}" for item in (*content.figures, *content.paper_tables) if item.missing
    ]
    click.echo(output)
    if absent:
        click.echo(f"not there, and said so in the report: {', '.join(absent)}", err=True)
