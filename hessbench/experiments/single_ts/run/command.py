"""`hessbench single-ts`: ensembles trained on one transition state."""

import time
from pathlib import Path

import click

from hessbench.config.base import load_section
from hessbench.experiments.single_ts.run.ensembles import read_path, run_single_ts
from hessbench.experiments.single_ts.run.settings import SingleTSConfig
from hessbench.results.store.runinfo import active_profile
from hessbench.results.store.tables import Identity, write_table
from hessbench.system.machine import hardware

OPTIMIZERS = {"muon": "Muon and AdamW", "adam": "AdamW"}


@click.command()
@click.option(
    "--results",
    type=click.Path(path_type=Path),
    default=Path("results"),
    show_default=True,
    help="Folder of the results.",
)
def command(results: Path) -> None:
    """Train an ensemble on one TS with each loss and predict the whole reaction path with it.

    What is finished of an interrupted run is not trained again.
    """
    config = load_section(SingleTSConfig, "single_ts")
    path = read_path(config.data)
    begin = time.perf_counter()
    energies, modes = run_single_ts(path, config, results / "checkpoints" / "single_ts")
    identity = Identity(
        profile=active_profile(),
        data=path.identity,
        level=path.level,
        models=config.models,
        hardware=hardware()["processor"],
        seconds=time.perf_counter() - begin,
        extra={
            "steps": config.steps,
            "window": config.window,
            "note": f"{config.steps} steps of {OPTIMIZERS[config.optimizer.kind]} for every loss; a model "
            "sees the TS as a maximum if it lies above every point within "
            f"{config.window:g} amu^0.5 Angstrom",
        },
    )
    write_table(results / "single_ts.parquet", energies, identity)
    write_table(results / "single_ts_modes.parquet", modes, identity)
    columns = ["lowest_frequency_cm1", "negative_modes", "ts_is_maximum", "energy_error", "force_error"]
    summary = modes.groupby("training", sort=False)[[*columns, "hessian_error"]].mean()
    click.echo(summary.to_string(float_format=lambda value: f"{value:.4g}"))
