"""`hessbench score`: errors and curvature of stored predictions, without the model that made them."""

from pathlib import Path

import click

from hessbench.calculators.card import read_card
from hessbench.config.base import PARAMS
from hessbench.config.options import results_option
from hessbench.data.locations import SPLIT
from hessbench.experiments.errors.run.predictions import read_metadata
from hessbench.experiments.errors.run.sets import active_sets, embedded_sets
from hessbench.report.score import score_predictions, write_score


@click.command(name="score")
@click.argument("predictions", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--card", type=click.Path(path_type=Path), help="Model card in place of that in the file.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default=Path("leaderboard"),
    show_default=True,
    help="Folder of the scores.",
)
@results_option
def command(predictions: tuple[Path, ...], card: Path | None, output: Path, results: Path) -> None:
    """Score PREDICTIONS, files of `hessbench evaluate`: <output>/NAME-PERCENT.json.

    No code of a model is run. The numbers are those of the tables: RMSEs, and the curvature of the Hessians.
    Where there is no params.yaml, the test sets are those that come with the package.
    """
    given = read_card(card) if card else None
    for path in predictions:
        percent = int(read_metadata(path).get("percent", 0))
        sets = active_sets(results / SPLIT, percent) if PARAMS.exists() else embedded_sets(percent)
        score = score_predictions(path, sets.tested, given)
        click.echo(write_score(score, output))
        for name, item in score.sets.items():
            errors = ", ".join(f"{key} {number.value:.4g}" for key, number in item.errors.items())
            click.echo(
                f"  {name}: {errors or 'no errors'}; {item.failed} of {item.structures + item.failed} failed"
            )
