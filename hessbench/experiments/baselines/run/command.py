"""`hessbench baselines`: errors of the potential whose networks are zero.

Its energy is the sum of the atomic energies that are fitted to the training structures, as those of every
model are: the best that composition alone says. Its forces and Hessians are zero, which is also their mean.
"""

from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import pandas as pd

from hessbench.config.options import results_option
from hessbench.data.layout import ReactionFile
from hessbench.data.locations import SPLIT, active_file
from hessbench.data.split import read_split
from hessbench.data.structures import Structures
from hessbench.experiments.baselines.run.tables import BASELINES, STAGE
from hessbench.experiments.errors.run.scoring import error_rows, structure_errors
from hessbench.experiments.errors.run.sets import active_sets
from hessbench.potential.atomic_energies import compositions, fit_atomic_energies
from hessbench.results.store.names import UNITS
from hessbench.results.store.provenance import made_here
from hessbench.results.store.tables import write_table


@click.command()
@results_option
def command(results: Path) -> None:
    """Score zero forces, zero Hessians and atomic energies alone: results/baselines.parquet.

    The atomic energies are fitted on the largest training set.
    """
    with ReactionFile(active_file("rtp")) as file:
        percent = max(read_split(results / SPLIT, file.identifier).sizes)
    sets = active_sets(results / SPLIT, percent)
    tested = {name: item.structures for name, item in sets.tested.items()}
    table = baseline_errors(sets.training, tested)
    data = {name: item.data for name, item in sets.tested.items()}
    inputs = STAGE.inputs(data, files={"split": sets.split.digest})
    level = "; ".join(sorted({item.level for item in sets.tested.values()}))
    write_table(results, BASELINES, table, made_here(inputs, level=level))
    for line in rmse_lines(table):
        click.echo(line)


def rmse_lines(table: pd.DataFrame) -> Iterator[str]:
    """Say the root mean square of each set and quantity of rows of the table `BASELINES`."""
    for (name, quantity), rows in table.groupby(["set", "quantity"], sort=False):
        rmse = np.sqrt(rows["squared"].sum() / rows["count"].sum())
        yield f"{name} {quantity}: RMSE {rmse:.4g} {UNITS[str(quantity)]}"


def baseline_errors(training: Structures, tested: dict[str, Structures]) -> pd.DataFrame:
    """Errors of atomic energies, zero forces and zero Hessians; columns as in `BASELINES`.

    Parameters
    ----------
    training
        Structures to fit the atomic energies on.
    tested
        Test sets by name, with Hessians.
    """
    numbers = np.concatenate([training.numbers, *(item.numbers for item in tested.values())])
    elements = tuple(np.unique(numbers).tolist())
    constants = fit_atomic_energies(training.numbers, training.counts, training.energies, elements)
    tables = []
    for name, structures in tested.items():
        energies = compositions(structures.numbers, structures.counts, elements) @ constants
        forces, hessians = np.zeros_like(structures.forces), np.zeros(np.sum((3 * structures.counts) ** 2))
        errors = structure_errors(structures, energies, forces, hessians)
        tables.append(error_rows(0, name, structures, errors).drop(columns="seed"))
    return pd.concat(tables, ignore_index=True)
