"""`hessbench composition`: count what the molecules of the active data set are made of."""

import time
from pathlib import Path

import click
import pandas as pd
from tqdm import tqdm

from hessbench.config.options import results_option
from hessbench.data.layout import ReactionFile
from hessbench.data.locations import SETS, active_file
from hessbench.experiments.composition.run.count import composition
from hessbench.experiments.composition.run.tables import COMPOSITION, STAGE
from hessbench.results.store.provenance import made_here
from hessbench.results.store.tables import write_table


@click.command(name="composition")
@results_option
def command(results: Path) -> None:
    """Count elements of all structures, and bonds of reactants and products, in each set.

    Paths and displaced structures have no bonds that could be counted: those of IRC and NMS are those of the
    reactants and products that the RTP set has of their reactions.
    """
    begin = time.perf_counter()
    data, levels = {}, set()
    for name in SETS:
        with ReactionFile(active_file(name)) as file:
            data[name] = file.identifier
            levels.add(file.metadata.level)
    inputs = STAGE.inputs(data)
    tables: list[pd.DataFrame] = []
    for name in SETS:
        with ReactionFile(active_file(name)) as file:
            bar = tqdm(file, total=len(file), desc=f"composition {name}", unit="reaction", delay=2)
            tables.append(composition(bar, name))
            if name != "rtp" and not (tables[-1]["kind"] == "bonds").any():
                stationary = tables[0][
                    (tables[0]["kind"] == "bonds") & tables[0]["reaction"].isin(file.names)
                ]
                tables.append(stationary.assign(set=name))
    table = pd.concat(tables, ignore_index=True)
    provenance = made_here(
        inputs,
        level="; ".join(sorted(levels)),
        seconds=time.perf_counter() - begin,
    )
    path = write_table(results, COMPOSITION, table, provenance)
    bonds = table[table["kind"] == "bonds"]
    for test_set, rows in bonds.groupby("set", sort=False):
        molecules = rows[["reaction", "structure"]].drop_duplicates()
        failed = int((rows["reason"] != "").sum())
        click.echo(
            f"{test_set}: bonds of {len(molecules):,} reactants and products, {failed:,} not perceived"
        )
    click.echo(path)
