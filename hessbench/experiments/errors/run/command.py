"""`hessbench evaluate`: predictions and errors of an ensemble, or of a user's model."""

from pathlib import Path

import click
import torch

from hessbench.calculators.brought import bring
from hessbench.calculators.card import level_mark
from hessbench.calculators.check import smallest_molecules
from hessbench.calculators.user_file import name_of
from hessbench.config.base import PARAMS, load_section
from hessbench.config.inputs import Inputs
from hessbench.config.loss_labels import stated_labels
from hessbench.config.options import LossChoice, results_option
from hessbench.config.paper import TRAINING_PERCENTS
from hessbench.data.locations import SETS, SPLIT
from hessbench.experiments.errors.run.data_file import load_data_file, score_data_file
from hessbench.experiments.errors.run.ensemble import TestSet, evaluate_ensemble
from hessbench.experiments.errors.run.rmse import summarize
from hessbench.experiments.errors.run.sets import active_sets, embedded_sets
from hessbench.experiments.errors.run.settings import EvaluationConfig
from hessbench.experiments.errors.run.tables import FAILURES, STAGE
from hessbench.experiments.errors.run.user_model import evaluate_user_model, require_usable
from hessbench.potential.batch import Batch
from hessbench.potential.ensembles import ensemble_folder, ensemble_inputs
from hessbench.results.store.tables import read_table
from hessbench.system.alone import alone

SHOWN = 10
"""Structures that could not be scored of which the output says why."""


@click.command()
@click.option(
    "--loss", type=LossChoice(), help="Loss of the ensemble: a name of params.yaml (training.losses)."
)
@click.option(
    "--percent",
    type=int,
    default=TRAINING_PERCENTS[-1],
    show_default=True,
    help="Its training set size, in percent of all structures.",
)
@click.option(
    "--calculator",
    help="Instead of an ensemble: a Python file, which is run as code, that defines `calculator`, an ASE "
    "calculator or a class or function that gives one, and if it can `hessian(atoms)` in eV/Angstrom^2; else "
    "forces are differentiated. Or package.module:name.",
)
@click.option("--name", help="Of the calculator in the tables; that of the file if not given.")
@click.option(
    "--set",
    "chosen",
    multiple=True,
    type=click.Choice(SETS),
    help="Score a calculator on this test set alone; may be repeated. All if not given.",
)
@click.option(
    "--data",
    "data_file",
    type=click.Path(path_type=Path),
    help="Score on the structures of this file instead, which is in the one layout or of any format that "
    "`hessbench convert` reads; all, some or none have Hessians. Results go to a folder of their own, "
    "results/sets/<name of the file>.",
)
@click.option(
    "--card",
    type=click.Path(path_type=Path),
    help="Model card of the calculator (docs/leaderboard.md); FILE.yaml beside its file if not given.",
)
@results_option
def command(
    loss: str | None,
    percent: int,
    calculator: str | None,
    name: str | None,
    chosen: tuple[str, ...],
    data_file: Path | None,
    card: Path | None,
    results: Path,
) -> None:
    """Score an ensemble on held-out stationary points (rtp), paths (irc) and displaced structures (nms).

    A calculator is put beside the ensembles of the given training set size. Where there is no params.yaml it
    is scored on the data that come with the package. A structure for which it fails is left out, with the
    reason in results/failures; an interrupted run goes on.
    """
    if (loss is None) == (calculator is None):
        raise click.UsageError("Give either --loss or --calculator.")
    if chosen and (loss is not None or data_file is not None):
        raise click.UsageError("--set belongs to --calculator, without --data.")
    brought = None if data_file is None else load_data_file(data_file, results)
    stated = loss is not None or PARAMS.exists()
    config = load_section(EvaluationConfig, "evaluation") if stated else EvaluationConfig()
    files: dict[str, str] = {}
    if brought is not None:  # a calculator's constants of the elements are fitted on what is tested
        sets, training, results = {brought.name: brought.tested}, brought.tested.structures, brought.results
    elif calculator is not None and not PARAMS.exists():
        click.echo(
            f"No {PARAMS} here: scored on the data that come with the package, divided as by profile desktop"
        )
        embedded = embedded_sets(percent)
        sets, training, files = embedded.tested, embedded.training, {"split": embedded.split.digest}
    else:
        active = active_sets(results / SPLIT, percent)
        sets, training, files = active.tested, active.training, {"split": active.split.digest}
    sets = {key: item for key, item in sets.items() if not chosen or key in chosen}
    tested = {name if brought is None else "set": item.data for name, item in sets.items()}
    failed: dict[str, int] = {}
    if loss is not None:
        folder = ensemble_folder(loss, percent)
        inputs = STAGE.inputs(tested, {"evaluation": config}, files).joined(ensemble_inputs(folder))
        with alone(_lock(results, f"{loss}-{percent}")):
            if brought is None:
                errors = evaluate_ensemble(folder, loss, percent, sets, config, results, inputs)
            else:
                errors, notes = score_data_file(brought, folder, loss, percent, config, inputs)
                click.echo("\n".join(notes))
    else:
        assert calculator is not None
        name = name or name_of(calculator)
        labels = stated_labels() if PARAMS.exists() else {}
        require_usable(name, {*labels, *labels.values()})
        # What cannot be used is better known before the work begins.
        examples = Batch.from_structures(next(iter(sets.values())).structures, torch.float64)
        model = bring(calculator, smallest_molecules(examples), name, card)
        if model.unchecked:
            click.echo(f"its derivatives could not be compared with differences: {model.unchecked}")
        inputs = Inputs(tested, files)  # settings and code of this project do not decide about it
        with alone(_lock(results, f"{name}-{percent}")):
            errors = evaluate_user_model(model, percent, training, sets, config.processes, results, inputs)
        failed = _told_failures(name, percent, sets, results)
        level = "; ".join(sorted({item.level for item in sets.values()}))
        if mark := level_mark(model.level, level):
            click.echo(f"{name}: {mark}")
    table = summarize(errors).groupby(["set", "quantity"], sort=False)[["rmse", "mae"]].agg(["mean", "std"])
    click.echo(
        "energy in kcal/mol, force in kcal/mol/Angstrom, hessian in kcal/mol/Angstrom^2; std: over models"
    )
    if calculator is not None:
        table["failed"] = [failed[name] for name, _ in table.index]
    click.echo(table.to_string(float_format=lambda value: f"{value:.4g}", na_rep="-"))


def _lock(results: Path, part: str) -> Path:
    return results / "checkpoints" / f"evaluate-{part}.lock"


def _told_failures(name: str, percent: int, sets: dict[str, TestSet], results: Path) -> dict[str, int]:
    """Say for which structures a user's potential fails; give their number in each set."""
    failures = read_table(results, FAILURES, part=f"{name}-{percent}")
    for row in failures.head(SHOWN).itertuples():
        click.echo(f"left out: {row.set} {row.reaction}, structure {row.structure}: {row.reason}")
    failed = {key: int((failures["set"] == key).sum()) for key in sets}
    if len(failures):
        path = FAILURES.path(results, f"{name}-{percent}")
        counts = [f"{key} {failed[key]} of {len(item.structures):,}" for key, item in sets.items()]
        click.echo(f"structures that could not be scored: {', '.join(counts)}; why stands in {path}")
    return failed
