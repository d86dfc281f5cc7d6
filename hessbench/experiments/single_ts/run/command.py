"""`hessbench single-ts`: ensembles trained on one transition state."""

import shutil
import time
from dataclasses import replace
from pathlib import Path

import click
import pandas as pd

from hessbench.config.base import load_section
from hessbench.config.options import results_option
from hessbench.experiments.single_ts.run.ensembles import ReactionPath, read_path, run_single_ts
from hessbench.experiments.single_ts.run.settings import SingleTSConfig
from hessbench.experiments.single_ts.run.tables import MODES, SINGLE_TS, STAGE, VARIANTS
from hessbench.results.store.names import UNITS
from hessbench.results.store.provenance import Provenance, made_here
from hessbench.results.store.tables import write_table
from hessbench.system.alone import alone_in_results

OPTIMIZERS = {"muon": "Muon and AdamW", "adam": "AdamW"}
SHOWN = {
    "lowest_frequency_cm1": "lowest frequency, cm-1",
    "negative_modes": "negative modes",
    "ts_is_maximum": "part of the models with a maximum there",
    **{f"{quantity}_error": f"{quantity} RMSE, {unit}" for quantity, unit in UNITS.items()},
}
"""Columns of the table single_ts_modes that are shown, and what they are called for people."""


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
    _write_variants(results, path, config, provenance)
    click.echo(at_the_ts(modes))


def at_the_ts(modes: pd.DataFrame) -> str:
    """Table for people: means over the models of rows of the table single_ts_modes, a column a loss."""
    summary = modes.groupby("loss", sort=False)[list(SHOWN)].mean().rename(columns=SHOWN)
    shown = summary.T.rename_axis(columns=None).to_string(float_format=lambda value: f"{value:.4g}")
    return f"at the TS, mean over the models\n{shown}"


def _write_variants(
    results: Path, path: ReactionPath, config: SingleTSConfig, provenance: Provenance
) -> None:
    """Train the ensembles of the variants, and list them: results/single_ts_variants.parquet and a folder."""
    folder = results / VARIANTS.name
    shutil.rmtree(folder, ignore_errors=True)  # variants of an earlier profile
    folder.mkdir(parents=True)
    rows = []
    for number, variant in enumerate(config.variants, start=1):
        own = config.of(variant)
        energies, _ = run_single_ts(path, own, results / "checkpoints" / f"single_ts_variant_{number}")
        write_table(folder / str(number), SINGLE_TS, energies, replace(provenance, models=own.models))
        rows.append((number, own.energy_unit, config.model_of(variant), own.models))
    if rows:
        rows.insert(0, (0, config.energy_unit, "", config.models))
    write_table(results, VARIANTS, pd.DataFrame(rows, columns=list(VARIANTS.columns)), provenance)
