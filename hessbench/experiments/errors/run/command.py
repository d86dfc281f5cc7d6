"""`hessbench evaluate`: predictions and errors of ensembles, or of a user's model."""

from collections.abc import Mapping
from pathlib import Path

import click
import pandas as pd
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
from hessbench.data.layout import ReactionFile
from hessbench.data.locations import SETS, SPLIT, active_file
from hessbench.data.split import read_split
from hessbench.experiments.errors.run.data_file import DataFile, load_data_file, score_data_file
from hessbench.experiments.errors.run.ensemble import Trained, evaluate_ensembles
from hessbench.experiments.errors.run.rmse import summarize
from hessbench.experiments.errors.run.scoring import TestSet
from hessbench.experiments.errors.run.sets import active_sets, embedded_sets
from hessbench.experiments.errors.run.settings import EvaluationConfig
from hessbench.experiments.errors.run.tables import FAILURES, STAGE
from hessbench.experiments.errors.run.user_model import evaluate_user_model, require_usable
from hessbench.potential.batch import Batch
from hessbench.potential.ensembles import ensemble_folder, ensemble_inputs
from hessbench.results.store.names import UNITS
from hessbench.results.store.tables import BROUGHT, read_table
from hessbench.system.alone import alone

SHOWN = 10
"""Structures that could not be scored of which the output says why."""
MEASURED_IN = ", ".join(f"{quantity} in {unit}" for quantity, unit in UNITS.items())
DIGITS = "{:.4g}".format


@click.command()
@click.option("--loss", type=LossChoice(), help="Only this loss of params.yaml (training.losses).")
@click.option(
    "--percent",
    type=int,
    help="Only this training set size, in percent of all structures; "
    f"{TRAINING_PERCENTS[-1]} with --loss or --calculator, if not given.",
)
@click.option(
    "--calculator",
    help="Instead of ensembles: a Python file, which is run as code, that defines `calculator`, an ASE "
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
    "results/sets/<name of the file>. With --loss or --calculator.",
)
@click.option(
    "--card",
    type=click.Path(path_type=Path),
    help="Model card of the calculator (docs/leaderboard.md); FILE.yaml beside its file if not given.",
)
@results_option
def command(
    loss: str | None,
    percent: int | None,
    calculator: str | None,
    name: str | None,
    chosen: tuple[str, ...],
    data_file: Path | None,
    card: Path | None,
    results: Path,
) -> None:
    """Score ensembles on held-out stationary points (rtp), paths (irc) and displaced structures (nms).

    Without --loss and --calculator all ensembles of params.yaml are scored, all models in one queue. A
    calculator is put beside the ensembles of the given training set size, in results/brought. Where there is
    no params.yaml it is scored on the data that come with the package. A structure for which it fails is left
    out, with the reason in results/brought/failures; an interrupted run goes on.
    """
    if loss is not None and calculator is not None:
        raise click.UsageError("Give either --loss or --calculator, or none of them.")
    if data_file is not None and loss is None and calculator is None:
        raise click.UsageError("--data needs either --loss or --calculator.")
    if chosen and (calculator is None or data_file is not None):
        raise click.UsageError("--set belongs to --calculator, without --data.")
    if calculator is None and (name is not None or card is not None):
        raise click.UsageError("--name and --card belong to --calculator.")
    brought = None if data_file is None else load_data_file(data_file, results)
    stated = calculator is None or PARAMS.exists()
    config = load_section(EvaluationConfig, "evaluation") if stated else EvaluationConfig()
    size = TRAINING_PERCENTS[-1] if percent is None else percent
    if calculator is not None:
        _score_calculator(calculator, name, size, chosen, brought, card, config, results)
    elif brought is None:
        losses = list(stated_labels()) if loss is None else [loss]
        percents = _sizes(results) if loss is None and percent is None else [size]
        _score_ensembles([(item, share) for share in percents for item in losses], config, results)
    else:
        assert loss is not None
        _score_on_file(brought, loss, size, config)


def _sizes(results: Path) -> list[int]:
    """Training set sizes of the split."""
    with ReactionFile(active_file("rtp")) as file:
        identifier = file.identifier
    return list(read_split(results / SPLIT, identifier).sizes)


def _score_ensembles(names: list[tuple[str, int]], config: EvaluationConfig, results: Path) -> None:
    """Score ensembles, each a loss and a training set size."""
    active = active_sets(results / SPLIT, names[-1][1])
    tested = {key: item.data for key, item in active.tested.items()}
    of_all = STAGE.inputs(tested, {"evaluation": config}, {"split": active.split.digest})
    wanted = []
    for loss, percent in names:
        folder = ensemble_folder(loss, percent)
        wanted.append(Trained(loss, percent, folder, of_all.joined(ensemble_inputs(folder))))
    with alone(*(_lock(results, ensemble.name) for ensemble in wanted)):
        found = evaluate_ensembles(wanted, active.tested, config, results)
    if len(wanted) == 1:
        _show(found[0])
    else:
        _show_side_by_side({item.name: errors for item, errors in zip(wanted, found, strict=True)})


def _score_on_file(brought: DataFile, loss: str, percent: int, config: EvaluationConfig) -> None:
    """Score an ensemble on a set of a user."""
    folder = ensemble_folder(loss, percent)
    inputs = STAGE.inputs({"set": brought.tested.data}, {"evaluation": config}, {})
    with alone(_lock(brought.results, f"{loss}-{percent}")):
        errors, notes = score_data_file(
            brought, folder, loss, percent, config, inputs.joined(ensemble_inputs(folder))
        )
    click.echo("\n".join(notes))
    _show(errors)


def _score_calculator(
    calculator: str,
    name: str | None,
    percent: int,
    chosen: tuple[str, ...],
    brought: DataFile | None,
    card: Path | None,
    config: EvaluationConfig,
    results: Path,
) -> None:
    """Score a user's model, on the test sets or on a set of the user."""
    files: dict[str, str] = {}
    if brought is not None:  # a calculator's constants of the elements are fitted on what is tested
        sets, training, target = {brought.name: brought.tested}, brought.tested.structures, brought.results
        tested = {"set": brought.tested.data}
    else:
        if PARAMS.exists():
            active = active_sets(results / SPLIT, percent)
        else:
            click.echo(
                f"No {PARAMS} here: scored on the data that come with the package, divided as by profile "
                "desktop"
            )
            active = embedded_sets(percent)
        sets = {key: item for key, item in active.tested.items() if not chosen or key in chosen}
        training, files, target = active.training, {"split": active.split.digest}, results / BROUGHT
        tested = {key: item.data for key, item in sets.items()}
    name = name or name_of(calculator)
    labels = stated_labels() if PARAMS.exists() else {}
    require_usable(name, {*labels, *labels.values()})
    # What cannot be used is better known before the work begins.
    examples = Batch.from_structures(next(iter(sets.values())).structures, torch.float64)
    model = bring(calculator, smallest_molecules(examples), name, card)
    if model.unchecked:
        click.echo(f"its derivatives could not be compared with differences: {model.unchecked}")
    inputs = Inputs(tested, files)  # settings and code of this project do not decide about it
    with alone(_lock(target, f"{name}-{percent}")):
        errors = evaluate_user_model(model, percent, training, sets, config.processes, target, inputs)
    failed = _told_failures(name, percent, sets, target)
    level = "; ".join(sorted({item.level for item in sets.values()}))
    if mark := level_mark(model.level, level):
        click.echo(f"{name}: {mark}")
    _show(errors, failed)
    if brought is None and PARAMS.exists():
        click.echo("`hessbench table && hessbench figure all && hessbench report` shows it beside the losses")


def _lock(results: Path, part: str) -> Path:
    return results / "checkpoints" / f"evaluate-{part}.lock"


def _show(errors: pd.DataFrame, failed: Mapping[str, int] | None = None) -> None:
    """Print errors of one ensemble or model, and if given how many structures of each set failed."""
    table = summarize(errors).groupby(["set", "quantity"], sort=False)[["rmse", "mae"]].agg(["mean", "std"])
    click.echo(f"{MEASURED_IN}; std: over models")
    if failed is not None:
        table["failed"] = [failed[name] for name, _ in table.index]
    click.echo(table.to_string(float_format=DIGITS, na_rep="-"))


def _show_side_by_side(found: Mapping[str, pd.DataFrame]) -> None:
    """Print a line of errors for each ensemble."""
    rows = {
        name: summarize(errors).groupby(["set", "quantity"], sort=False)["rmse"].mean()
        for name, errors in found.items()
    }
    click.echo(f"RMSE, mean over models; {MEASURED_IN}")
    click.echo(pd.DataFrame(rows).T.to_string(float_format=DIGITS, na_rep="-"))


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
