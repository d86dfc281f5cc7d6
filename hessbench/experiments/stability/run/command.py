"""`hessbench stability`: molecular dynamics of the MD17 molecules until a bond breaks."""

import time
from collections.abc import Mapping
from pathlib import Path

import click
import pandas as pd
from ase import Atoms

from hessbench.calculators.brought import bring, calculators_option
from hessbench.calculators.card import level_mark
from hessbench.config.base import load_section
from hessbench.config.loss_labels import REFERENCE
from hessbench.config.options import results_option
from hessbench.embedded import EMBEDDED
from hessbench.errors import HessbenchError
from hessbench.experiments.stability.run.models import (
    HeatingTask,
    mean_of,
    of_level,
    of_model,
    read_reference,
    run_stability,
)
from hessbench.experiments.stability.run.molecules import read_molecules
from hessbench.experiments.stability.run.settings import StabilityConfig
from hessbench.experiments.stability.run.tables import (
    RATES,
    STABILITY,
    STAGE,
    TRAJECTORY,
    mean_label,
)
from hessbench.potential.ensembles import (
    MODELS,
    ensemble_folder,
    ensemble_inputs,
    ensemble_label,
    model_file,
    trained_seeds,
)
from hessbench.results.store.provenance import made_here
from hessbench.results.store.tables import write_table
from hessbench.system.alone import alone_in_results

REFERENCE_RUNS = EMBEDDED / "md17-reference.csv"
"""How the embedded molecules end at their own level of theory, by `hessbench stability --reference`."""


@click.command()
@click.option(
    "--models",
    type=click.Path(path_type=Path),
    default=MODELS,
    show_default=True,
    help="Folder of the trained ensembles.",
)
@click.option(
    "--reference",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Heat the molecules at their own level of theory instead, and write how they end to this CSV file.",
)
@results_option
@calculators_option
@alone_in_results("stability")
def command(models: Path, reference: Path | None, results: Path, calculators: tuple[str, ...]) -> None:
    """Heat ten molecules with every model until a bond breaks, atoms collide, or the cap is reached.

    An interrupted run goes on from its checkpoints.
    """
    config = load_section(StabilityConfig, "stability")
    molecules = read_molecules(config.molecules)
    checkpoints = results / "checkpoints" / "stability"
    if reference is not None:
        level = _level(config, molecules)
        outcomes, _, _ = run_stability([of_level(REFERENCE, level)], molecules, config, checkpoints)
        outcomes.to_csv(reference, index=False)
        click.echo(f"{reference}: {len(outcomes)} runs at {level}")
        return
    tasks: list[HeatingTask] = []
    trained = []
    for loss in config.losses:
        folder = ensemble_folder(loss, config.percent, models)
        seeds = trained_seeds(folder)[: config.seeds]
        if len(seeds) < config.seeds:
            raise HessbenchError(
                f"stability.seeds: {config.seeds} models of {loss!r} asked for, {folder} has {len(seeds)}; "
                "train more (training.seeds) or lower it."
            )
        label = ensemble_label(folder)
        files = {seed: model_file(folder, seed) for seed in seeds}
        for interval in (None, *config.rates_fs):
            tasks += [of_model(label, seed, file, interval) for seed, file in files.items()]
        if config.ensemble_mean and len(files) > 1:
            tasks.append(mean_of(mean_label(label), list(files.values())))
        trained.append(ensemble_inputs(folder))
    brought = [bring(source) for source in calculators]  # what cannot be used is better known before
    tasks += [HeatingTask(item.name, 0, item.load, item.digest, may_fail=True) for item in brought]
    inputs = STAGE.inputs({}, {"stability": config}).joined(*trained)
    begin = time.perf_counter()
    outcomes, rates, trajectory = run_stability(tasks, molecules, config, checkpoints)
    if config.molecules == EMBEDDED / "md17.extxyz":  # of others it is not known how they end
        outcomes = pd.concat([outcomes, read_reference(REFERENCE_RUNS, molecules)], ignore_index=True)
    level = "; ".join(sorted({str(item.info.get("level", "unknown")) for item in molecules.values()}))
    provenance = made_here(
        inputs,
        level=level,
        models=config.seeds,
        seconds=time.perf_counter() - begin,
        notes={
            "interval_fs": config.interval_fs,
            "note": f"{config.increment_k:g} K every {config.interval_fs:g} fs ({config.rate_k_per_ps:.3g} "
            f"K/ps; the paper: 1 K/ps), BAOAB with friction {config.friction_per_fs:g}/fs, cap "
            f"{config.cap_k:g} K",
        },
    )
    write_table(results, STABILITY, outcomes, provenance)
    write_table(results, RATES, rates, provenance)
    write_table(results, TRAJECTORY, trajectory, provenance)
    click.echo(temperatures(outcomes, config.cap_k))
    for item in brought:
        if mark := level_mark(item.level, level):
            click.echo(f"{item.name}: {mark}")


def temperatures(outcomes: pd.DataFrame, cap_k: float) -> str:
    """Table for people: mean temperature at which runs ended, a row a molecule, a column a loss.

    Parameters
    ----------
    outcomes
        Rows of the table stability.
    cap_k
        Largest temperature, K.
    """
    summary = outcomes.pivot_table(index="molecule", columns="loss", values="temperature_k", aggfunc="mean")
    return (
        f"mean temperature in K at which runs ended; heated to {cap_k:g} K at most, 0 K: not optimized\n"
        f"{summary.to_string(float_format=lambda value: f'{value:.0f}')}"
    )


def _level(config: StabilityConfig, molecules: Mapping[str, Atoms]) -> str:
    """Level of theory that all starting structures are minima of.

    Raises
    ------
    HessbenchError
        The structures do not say it, or name several.
    """
    levels = {str(atoms.info.get("level", "")) for atoms in molecules.values()}
    if len(levels) != 1 or not (level := levels.pop()):
        raise HessbenchError(
            f"{config.molecules}: the molecules name no common level of theory; give each frame one `level`."
        )
    return level
