"""`hessbench evaluate`: predictions and errors of an ensemble, or of a user's model."""

from functools import partial
from pathlib import Path

import click

from hessbench.calculators.user_file import load_calculator
from hessbench.config.base import load_section
from hessbench.config.inputs import Inputs
from hessbench.data.layout import ReactionFile
from hessbench.data.locations import SPLIT, active_file
from hessbench.data.split import read_split
from hessbench.data.structures import load_structures
from hessbench.experiments.errors.run.ensemble import TestSet, evaluate_ensemble
from hessbench.experiments.errors.run.rmse import summarize
from hessbench.experiments.errors.run.settings import EvaluationConfig
from hessbench.experiments.errors.run.tables import STAGE
from hessbench.experiments.errors.run.user_model import evaluate_user_model
from hessbench.potential.ensembles import ensemble_folder, ensemble_inputs


@click.command()
@click.option("--loss", help="Loss of the ensemble: e, ef, efh, efhvp.")
@click.option(
    "--percent", required=True, type=int, help="Its training set size, in percent of all structures."
)
@click.option(
    "--calculator",
    type=click.Path(path_type=Path),
    help="Instead of an ensemble: a Python file that defines `calculator`, an ASE calculator or a function "
    "that returns one, and if it can `hessian(atoms)` in eV/Angstrom^2; else forces are differentiated.",
)
@click.option("--name", help="Of the calculator in the tables; that of the file if not given.")
@click.option(
    "--results",
    type=click.Path(path_type=Path),
    default=Path("results"),
    show_default=True,
    help="Folder of the results, with split.json.",
)
def command(loss: str | None, percent: int, calculator: Path | None, name: str | None, results: Path) -> None:
    """Score an ensemble on held-out stationary points (rtp), paths (irc) and displaced structures (nms).

    A calculator is put beside the ensembles of the given training set size.
    """
    if (loss is None) == (calculator is None):
        raise click.UsageError("Give either --loss or --calculator.")
    config = load_section(EvaluationConfig, "evaluation")
    sets = {}
    for key in ("rtp", "irc", "nms"):
        path = active_file(key)
        with ReactionFile(path) as file:
            data, level = file.identity, file.metadata.level
        structures = load_structures(path)
        if key == "rtp":
            split = read_split(results / SPLIT, data)
            training = structures.select(split.training_at(percent))
            structures = structures.select(split.test)
        sets[key] = TestSet(data, level, structures)
    tested = {key: item.data for key, item in sets.items()}
    files = {"split": split.digest}
    if loss is not None:
        folder = ensemble_folder(loss, percent)
        inputs = STAGE.inputs(tested, {"evaluation": config}, files).joined(ensemble_inputs(folder))
        errors = evaluate_ensemble(folder, loss, percent, sets, config, results, inputs)
    else:
        assert calculator is not None
        load_calculator(calculator)  # a file that cannot be used is better known before the work begins
        load = partial(load_calculator, calculator)
        label = name or calculator.stem
        inputs = Inputs(tested, files)  # settings and code of this project do not decide about it
        errors = evaluate_user_model(label, load, percent, training, sets, config.processes, results, inputs)
    table = summarize(errors).groupby(["set", "quantity"], sort=False)[["rmse", "mae"]].agg(["mean", "std"])
    click.echo(
        "energy in kcal/mol, force in kcal/mol/Angstrom, hessian in kcal/mol/Angstrom^2; std: over models"
    )
    click.echo(table.to_string(float_format=lambda value: f"{value:.4g}", na_rep="-"))
