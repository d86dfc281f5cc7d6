"""`hessbench correlation`: predictions against reference values, binned."""

from pathlib import Path

import click
import numpy as np
import pandas as pd
from tqdm import tqdm

from hessbench.data.layout import ReactionFile
from hessbench.data.locations import SETS, active_file
from hessbench.data.split import read_split
from hessbench.data.structures import load_structures
from hessbench.experiments.correlation.run.histogram import correlation_rows, predicted_seeds
from hessbench.results.store.runinfo import SPLIT, active_profile
from hessbench.results.store.tables import LABELS, Identity, write_table
from hessbench.training.self_energies import compositions, fit_self_energies


@click.command()
@click.option(
    "--loss", "losses", multiple=True, default=("e", "ef", "efh"), show_default=True, help="Ensembles to bin."
)
@click.option(
    "--percent", type=int, default=80, show_default=True, help="Training set size of these ensembles."
)
@click.option("--results", type=click.Path(path_type=Path), default=Path("results"), show_default=True)
def command(losses: tuple[str, ...], percent: int, results: Path) -> None:
    """Bin the stored predictions of `hessbench evaluate`: results/correlation.parquet."""
    stationary = load_structures(active_file("rtp"))
    elements = tuple(np.unique(stationary.numbers).tolist())
    constants = fit_self_energies(stationary.numbers, stationary.counts, stationary.energies, elements)
    frames, identities, levels, models = [], {}, set(), 0
    for name in SETS:
        path = active_file(name)
        with ReactionFile(path) as file:
            identities[name] = file.identity
            levels.add(file.metadata.level)
        structures = stationary if name == "rtp" else load_structures(path)
        if name == "rtp":
            structures = structures.select(read_split(results / SPLIT, identities[name]).test)
        composition_energies = compositions(structures.numbers, structures.counts, elements) @ constants
        for loss in tqdm(losses, desc=f"correlation {name}", unit="ensemble"):
            predictions = results / "predictions" / f"{loss}-{percent}.h5"
            seeds = predicted_seeds(predictions)
            models = len(seeds)
            frames.append(
                correlation_rows(LABELS[loss], name, structures, composition_energies, predictions, seeds)
            )
    table = pd.concat(frames, ignore_index=True)
    widths = table.drop_duplicates(["set", "quantity"])
    identity = Identity(
        profile=active_profile(),
        data="; ".join(f"{name}: {value}" for name, value in identities.items()),
        level="; ".join(sorted(levels)),
        models=models,
        extra={
            "bin_width": {f"{row.set} {row.quantity}": row.bin_width for row in widths.itertuples()},
            "energy": "without constants of the elements, fitted to the reference energies of the RTP set",
        },
    )
    write_table(results / "correlation.parquet", table.drop(columns="bin_width"), identity)
    click.echo(f"{results / 'correlation.parquet'}: {len(table)} bins, {models} models per ensemble")
