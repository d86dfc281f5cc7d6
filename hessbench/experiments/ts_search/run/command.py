"""`hessbench ts-search`: transition states of held-out reactions, searched with and without Hessians."""

import os

os.environ.setdefault(
    "OMP_NUM_THREADS", "1"
)  # before a numerical library is loaded; searches run in parallel

import time
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import click
import pandas as pd
from ase import Atoms
from tqdm import tqdm

from hessbench.calculators.brought import bring, calculators_option
from hessbench.calculators.card import level_mark
from hessbench.chemistry.level_potential import LevelPotential
from hessbench.chemistry.normal_modes import atomic_masses, normal_modes
from hessbench.cluster.workers import workers
from hessbench.comparison.potentials import brought_potential, level_potential, trained_potentials
from hessbench.config.base import load_section
from hessbench.config.options import results_option
from hessbench.data.layout import ReactionFile
from hessbench.data.locations import SPLIT, active_file
from hessbench.errors import HessbenchError, PotentialError
from hessbench.experiments.ts_search.run.search import (
    USES,
    Searches,
    SearchTask,
    keeping_searches,
    run_search,
)
from hessbench.experiments.ts_search.run.settings import TsSearchConfig
from hessbench.experiments.ts_search.run.tables import SEARCHES, STAGE
from hessbench.potential.batch import Batch
from hessbench.potential.evaluation import hessians
from hessbench.potential.interface import Potential
from hessbench.reactions.geometries import ReactionGeometries, shuffled
from hessbench.reactions.held_out import held_out_geometries, of_level, reference_level
from hessbench.results.store.provenance import made_here
from hessbench.results.store.tables import write_table
from hessbench.system.alone import alone_in_results
from hessbench.system.processes import run_tasks


@click.command()
@results_option
@calculators_option
@alone_in_results("ts-search")
def command(results: Path, calculators: tuple[str, ...]) -> None:
    """Search transition states with Sella from displaced ones: results/ts_search.parquet.

    With the first model of each ensemble, and as a control with the level of theory of the data; each with
    its Hessian at every point, and without. Interrupted, it goes on: what is finished is not searched again.
    """
    begin = time.perf_counter()
    config = load_section(TsSearchConfig, "ts_search")
    potentials, trained = trained_potentials(config.losses, config.percent, seeds=1)
    brought = [bring(source) for source in calculators]  # what cannot be used is better known before
    potentials += [brought_potential(item) for item in brought]
    with ReactionFile(active_file("rtp")) as file:
        data, stated = file.identifier, file.metadata.level
    inputs = STAGE.inputs({"rtp": data}, {"ts_search": config}).joined(*trained)
    rows, level, keeping = [], stated, None
    if config.reactions:
        level = reference_level(stated, config.level, "ts_search.level")
        geometries, note = of_level(config.geometries, level)
        if note:
            click.echo(note)
        reactions = choose(
            held_out_geometries(geometries, active_file("rtp"), results / SPLIT),
            LevelPotential(level),
            config,
        )
        potentials.append(level_potential(level))
        tasks = [
            SearchTask(index, potential, use)
            for potential in potentials
            for use in USES
            for index in range(len(reactions))
        ]
        shared = Searches(reactions, config)
        checkpoints = results / "checkpoints" / "ts_search"
        keeping = keeping_searches(workers(config.processes), checkpoints, shared)
        done = keeping.finished(tasks)
        with tqdm(total=len(tasks), initial=done, desc="ts-search", unit="search", smoothing=0.05) as bar:

            def show(done: int) -> None:
                bar.update(done)

            rows = run_tasks(run_search, tasks, shared, keeping, show)
    table = pd.DataFrame(rows, columns=list(SEARCHES.columns))
    provenance = made_here(
        inputs,
        level=level,
        models=1,
        seconds=time.perf_counter() - begin,
        notes={"ts_search": config.model_dump(mode="json")},
    )
    path = write_table(results, SEARCHES, table, provenance)
    if keeping is not None:
        keeping.remove()
    for (label, hessian), part in table.groupby(["loss", "hessian"], sort=False):
        found = int((part["status"] == "found").sum())
        click.echo(f"{label}, Hessian {hessian}: {found} of {len(part)} transition states found")
    click.echo(f"{path}: {len(table)} searches")
    for item in brought:
        if mark := level_mark(item.level, level):
            click.echo(f"{item.name}: {mark}")


def choose(
    candidates: Iterable[ReactionGeometries], reference: Potential, config: TsSearchConfig
) -> list[ReactionGeometries]:
    """Choose reactions in the random order of the seed whose transition state has one imaginary mode.

    Raises
    ------
    HessbenchError
        There are not enough.
    """
    known = {item.name: item for item in candidates if "TS" in item.coordinates}
    ordered = (known[name] for name in shuffled(known, config.seed))
    chosen = list(islice((item for item in ordered if _is_saddle(item, reference)), config.reactions))
    if len(chosen) < config.reactions:
        raise HessbenchError(
            f"ts_search.reactions: {config.reactions} are wanted, but outside the training there are "
            f"{len(chosen)} transition states; give more geometries (ts_search.geometries)."
        )
    return chosen


def _is_saddle(reaction: ReactionGeometries, reference: Potential) -> bool:
    saddle = reaction.coordinates["TS"]
    try:
        (hessian,) = hessians(reference, Batch.from_atoms([Atoms(reaction.numbers, saddle)]))
    except PotentialError:
        return False
    return normal_modes(saddle, atomic_masses(reaction.numbers), hessian).imaginary == 1
