"""`hessbench correlation`: predictions against reference values, binned."""

from pathlib import Path

import click
import numpy as np
import pandas as pd
from tqdm import tqdm

from hessbench.config.options import ensembles_options, results_option
from hessbench.data.layout import ReactionFile
from hessbench.data.locations import SETS, SPLIT, active_file
from hessbench.data.split import read_split
from hessbench.data.structures import load_structures
from hessbench.experiments.correlation.run.histogram import correlation_rows
from hessbench.experiments.correlation.run.tables import CORRELATION, STAGE
from hessbench.experiments.errors.run.predictions import predicted_from, predicted_label, predicted_seeds
from hessbench.potential.atomic_energies import compositions, fit_atomic_energies
from hessbench.results.store.provenance import made_here
from hessbench.results.store.tables import write_table


@click.command()
@ensembles_options("Ensembles to bin")
@results_option
def command(losses: tuple[str, ...], percent: int, results: Path) -> None:
    """Bin the stored predictions of `hessbench evaluate`: results/correlation.parquet."""
    files = {loss: results / "predictions" / f"{loss}-{percent}.h5" for loss in losses}
    data, levels = {}, set()
    for name in SETS:
        with ReactionFile(active_file(name)) as file:
            data[name] = file.identifier
            levels.add(file.metadata.level)
    inputs = STAGE.inputs(data).joined(*(predicted_from(file) for file in files.values()))
    labels = {loss: predicted_label(file) for loss, file in files.items()}
    stationary = load_structures(active_file("rtp"))
    elements = tuple(np.unique(stationary.numbers).tolist())
    constants = fit_atomic_energies(stationary.numbers, stationary.counts, stationary.energies, elements)
    frames, models = [], 0
    for name in SETS:
        structures = stationary if name == "rtp" else load_structures(active_file(name))
        if name == "rtp":
            structures = structures.select(read_split(results / SPLIT, data[name]).test)
        composition_energies = compositions(structures.numbers, structures.counts, elements) @ constants
        for loss in tqdm(losses, desc=f"correlation {name}", unit="ensemble"):
            seeds = predicted_seeds(files[loss])
            models = len(seeds)
            frames.append(
                correlation_rows(labels[loss], name, structures, composition_energies, files[loss], seeds)
            )
    table = pd.concat(frames, ignore_index=True)
    widths = table.drop_duplicates(["set", "quantity"])
    provenance = made_here(
        inputs,
        level="; ".join(sorted(levels)),
        models=models,
        notes={
            "bin_width": {f"{row.set} {row.quantity}": row.bin_width for row in widths.itertuples()},
            "energy": "without constants of the elements, fitted to the reference energies of the RTP set",
        },
    )
    path = write_table(results, CORRELATION, table.drop(columns="bin_width"), provenance)
    click.echo(f"{path}: {len(table)} bins, {models} models per ensemble")
