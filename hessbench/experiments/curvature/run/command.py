"""`hessbench curvature`: normal modes of predicted Hessians against the reference's."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before a numerical library is loaded: matrices are small

from pathlib import Path
from typing import Any

import click
import pandas as pd
from tqdm import tqdm

from hessbench.config.options import ensembles_options, results_option
from hessbench.data.locations import SPLIT
from hessbench.experiments.curvature.run.rows import references, rows_of
from hessbench.experiments.curvature.run.tables import CURVATURE, STAGE
from hessbench.experiments.errors.run.predictions import predicted_from, predicted_label, predicted_seeds
from hessbench.experiments.errors.run.sets import active_sets
from hessbench.results.store.provenance import made_here
from hessbench.results.store.tables import write_table
from hessbench.system.alone import alone_in_results


@click.command()
@ensembles_options("Ensembles to compare")
@results_option
@alone_in_results("curvature")
def command(losses: tuple[str, ...], percent: int, results: Path) -> None:
    """Diagonalize the Hessians that `hessbench evaluate` stored: results/curvature.parquet.

    Wavenumbers, zero-point energies, the lowest modes, and how many force constants are negative.
    """
    files = {loss: results / "predictions" / f"{loss}-{percent}.h5" for loss in losses}
    sets = active_sets(results / SPLIT, percent)
    data = {name: item.data for name, item in sets.tested.items()}
    inputs = STAGE.inputs(data, files={"split": sets.split.digest})
    inputs = inputs.joined(*(predicted_from(file) for file in files.values()))
    labels = {loss: predicted_label(file) for loss, file in files.items()}
    seeds = {loss: predicted_seeds(file) for loss, file in files.items()}
    rows = []
    total = sum(len(item.structures) for item in sets.tested.values()) * (1 + sum(map(len, seeds.values())))
    with tqdm(total=total, desc="curvature", unit="Hessian", smoothing=0.1) as bar:
        for name, item in sets.tested.items():
            reference = [_advanced(bar, found) for found in references(item.structures)]
            for loss, file in files.items():
                for seed in seeds[loss]:
                    leading = {"loss": labels[loss], "seed": seed, "set": name}
                    for row in rows_of(file, name, seed, item.structures, reference):
                        rows.append(leading | _advanced(bar, row))
    table = pd.DataFrame(rows, columns=list(CURVATURE.columns))
    level = "; ".join(sorted({item.level for item in sets.tested.values()}))
    models = max(map(len, seeds.values()))
    path = write_table(results, CURVATURE, table, made_here(inputs, level=level, models=models))
    click.echo(f"{path}: {len(table)} structures times models")


def _advanced(bar: tqdm, item: Any) -> Any:
    bar.update()
    return item
