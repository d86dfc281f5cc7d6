"""`hessbench single-ts`: ensembles trained on one transition state."""

import time
from pathlib import Path

import click

from hessbench.config.base import load_section
from hessbench.config.options import results_option
from hessbench.experiments.single_ts.run.ensembles import read_path, run_single_ts
from hessbench.experiments.single_ts.run.settings import SingleTSConfig
from hessbench.experiments.single_ts.run.tables import MODES, SINGLE_TS, STAGE
from hessbench.results.store.provenance import made_here
from hessbench.results.store.tables import write_table
from hessbench.system.alone import alone_in_results

OPTIMIZERS = {"muon": "Muon and AdamW", "adam": "AdamW"}


@click.command()
@results_option
@alone_in_results("single-ts")
def command(results: Path) -> None:
    """Train an ensemble on one TS with each loss and predict the whole reaction path with it.

    What is finished of an interrupted run is not trained again.
    """
    config = load_section(SingleTSConfig, "single_ts")
    path = read_path(config.data)
    inputs = STAGE.inputs({"single-ts": path.data}, {"single_ts": config})
    begin = time.perf_counter()
    energies, modes = run_single_ts(path, config, results / "checkpoints" / "single_ts")
    provenance = made_here(
        inputs,
        level=path.level,
        models=config.models,
        seconds=time.perf_counter() - begin,
        notes={
            "steps": config.steps,
            "window": config.window,
            "note": f"{config.steps} steps of {OPTIMIZERS[config.optimizer.kind]} for every loss; a model "
            "sees the TS as a maximum if it lies above every point within "
            f"{config.window:g} amu^0.5 Angstrom",
        },
    )
    write_table(results, SINGLE_TS, energies, provenance)
    write_table(results, MODES, modes, provenance)
    columns = ["lowest_frequency_cm1", "negative_modes", "ts_is_maximum", "energy_error", "force_error"]
    summary = modes.groupby("loss", sort=False)[[*columns, "hessian_error"]].mean()
    click.echo(summary.to_string(float_format=lambda value: f"{value:.4g}"))
