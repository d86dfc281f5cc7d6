"""`hessbench evaluate`: predictions and errors of an ensemble."""

from pathlib import Path

import click

from hessbench.config.base import load_section, read_yaml
from hessbench.config.evaluation import EvaluationConfig
from hessbench.data.layout import ReactionFile
from hessbench.data.locations import active_file
from hessbench.data.split import read_split
from hessbench.data.structures import load_structures
from hessbench.evaluation.rmse import TestSet, evaluate_ensemble, summarize
from hessbench.potential.ensembles import ensemble_folder


@click.command()
@click.option("--loss", required=True, help="Loss of the ensemble: e, ef, efh, efhvp.")
@click.option(
    "--percent", required=True, type=int, help="Its training set size, in percent of all structures."
)
@click.option(
    "--results",
    type=click.Path(path_type=Path),
    default=Path("results"),
    show_default=True,
    help="Folder of the results, with split.json.",
)
def command(loss: str, percent: int, results: Path) -> None:
    """Score an ensemble on held-out stationary points (rtp), paths (irc) and displaced structures (nms)."""
    config = load_section(EvaluationConfig, "evaluation")
    sets = {}
    for name in ("rtp", "irc", "nms"):
        path = active_file(name)
        with ReactionFile(path) as file:
            identity, level = file.identity, file.metadata.level
        structures = load_structures(path)
        if name == "rtp":
            structures = structures.select(read_split(results / "split.json", identity).test)
        sets[name] = TestSet(identity, level, structures)
    profile = str(read_yaml(Path("params.yaml")).get("profile", "none"))
    errors = evaluate_ensemble(ensemble_folder(loss, percent), loss, percent, sets, config, results, profile)
    table = summarize(errors).groupby(["set", "quantity"], sort=False)[["rmse", "mae"]].agg(["mean", "std"])
    click.echo(table.to_string(float_format=lambda value: f"{value:.4g}"))
