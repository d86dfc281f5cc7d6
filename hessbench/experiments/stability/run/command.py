"""`hessbench stability`: molecular dynamics of the MD17 molecules until a bond breaks."""

import time
from pathlib import Path

import click

from hessbench.calculators.brought import bring, calculators_option
from hessbench.calculators.card import level_mark
from hessbench.config.base import load_section
from hessbench.config.options import results_option
from hessbench.errors import HessbenchError
from hessbench.experiments.stability.run.models import HeatingTask, of_model, read_molecules, run_stability
from hessbench.experiments.stability.run.settings import StabilityConfig
from hessbench.experiments.stability.run.tables import STABILITY, STAGE, TRAJECTORY
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


@click.command()
@click.option(
    "--models",
    type=click.Path(path_type=Path),
    default=MODELS,
    show_default=True,
    help="Folder of the trained ensembles.",
)
@results_option
@calculators_option
@alone_in_results("stability")
def command(models: Path, results: Path, calculators: tuple[str, ...]) -> None:
    """Heat ten molecules with every model until a bond breaks or the cap is reached.

    An interrupted run goes on from its checkpoints.
    """
    config = load_section(StabilityConfig, "stability")
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
        tasks += [of_model(ensemble_label(folder), seed, model_file(folder, seed)) for seed in seeds]
        trained.append(ensemble_inputs(folder))
    brought = [bring(source) for source in calculators]  # what cannot be used is better known before
    tasks += [HeatingTask(item.name, 0, item.load, item.digest, may_fail=True) for item in brought]
    molecules = read_molecules(config.molecules)
    inputs = STAGE.inputs({}, {"stability": config}).joined(*trained)
    begin = time.perf_counter()
    outcomes, trajectory = run_stability(tasks, molecules, config, results / "checkpoints" / "stability")
    rate = config.increment_k / config.interval_fs
    level = "; ".join(sorted({str(item.info.get("level", "unknown")) for item in molecules.values()}))
    provenance = made_here(
        inputs,
        level=level,
        models=config.seeds,
        seconds=time.perf_counter() - begin,
        notes={
            "interval_fs": config.interval_fs,
            "note": f"{config.increment_k:g} K every {config.interval_fs:g} fs ({1000 * rate:.3g} K/ps; the "
            f"paper: 1 K/ps), BAOAB with friction {config.friction_per_fs:g}/fs, cap {config.cap_k:g} K",
        },
    )
    write_table(results, STABILITY, outcomes, provenance)
    write_table(results, TRAJECTORY, trajectory, provenance)
    summary = outcomes.pivot_table(index="molecule", columns="loss", values="temperature_k", aggfunc="mean")
    click.echo(summary.to_string(float_format=lambda value: f"{value:.0f}"))
    for item in brought:
        if mark := level_mark(item.level, level):
            click.echo(f"{item.name}: {mark}")
