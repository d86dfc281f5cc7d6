"""`hessbench neb`: reaction paths of the ensembles and of the level of theory."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before a numerical library is loaded; bands run in parallel

import time
from functools import partial
from pathlib import Path

import click
import pandas as pd

from hessbench.calculators.brought import bring, calculators_option
from hessbench.calculators.card import level_mark
from hessbench.chemistry.level_potential import LevelPotential
from hessbench.cluster.workers import workers
from hessbench.comparison.potentials import brought_potential, level_potential, trained_potentials
from hessbench.config.base import load_section
from hessbench.config.options import results_option
from hessbench.data.layout import ReactionFile
from hessbench.data.locations import SPLIT, active_file
from hessbench.experiments.neb.run.bands import (
    has_reference_band,
    keeping_bands,
    keeping_reactions,
    run_neb,
)
from hessbench.experiments.neb.run.settings import NebConfig
from hessbench.experiments.neb.run.tables import GEOMETRY, PATHS, SPRINGS, STAGE, SUMMARY
from hessbench.reactions.choice import Search, choose_reactions
from hessbench.reactions.held_out import of_level, reference_level, unseen_saddles
from hessbench.results.store.provenance import made_here
from hessbench.results.store.tables import write_table
from hessbench.system.alone import alone_in_results


@click.command()
@results_option
@calculators_option
@alone_in_results("neb")
def command(results: Path, calculators: tuple[str, ...]) -> None:
    """Relax nudged elastic bands: neb_paths, neb_summary, neb_springs, neb_geometry.parquet of results.

    Interrupted, it goes on: bands that are finished are not relaxed again.
    """
    begin = time.perf_counter()
    config = load_section(NebConfig, "neb")
    potentials, trained = trained_potentials(config.losses, config.percent, config.seeds)
    brought = [bring(source) for source in calculators]  # what cannot be used is better known before
    potentials += [brought_potential(item) for item in brought]
    with ReactionFile(active_file("rtp")) as file:
        data, stated = file.identifier, file.metadata.level
    inputs = STAGE.inputs({"rtp": data}, {"neb": config}).joined(*trained)
    level = reference_level(stated, config.level, "neb.level")
    geometries, note = of_level(config.geometries, level)
    if note:
        click.echo(note)
    search = Search(
        partial(LevelPotential, level),
        config.end_point_fmax_ev_a,
        config.end_point_steps,
        partial(has_reference_band, config=config),
    )
    checkpoints = results / "checkpoints" / "neb"
    searching = keeping_reactions(workers(config.processes), checkpoints, level, config)
    reactions = choose_reactions(
        unseen_saddles(geometries, active_file("rtp"), results / SPLIT),
        search,
        barriers={
            "single hydrogen transfer": config.single_transfer_barrier,
            "multi-process": config.multi_process_barrier,
        },
        held_out=config.held_out,
        candidates_of_kind=config.candidates,
        seed=config.seed,
        processes=searching,
    )
    for reaction in reactions:
        if reaction.trained:
            click.echo(
                f"{reaction.kind}, {reaction.name}: no reaction of this kind is wholly held out; of this one "
                f"the transition state is, models are trained on {' and '.join(sorted(reaction.trained))}"
            )
    potentials.append(level_potential(level))
    relaxing = keeping_bands(workers(config.processes), checkpoints, reactions, config)
    tables = run_neb(reactions, potentials, config, relaxing)
    provenance = made_here(
        inputs,
        level=level,
        models=config.seeds,
        seconds=time.perf_counter() - begin,
        notes={"neb": config.model_dump(mode="json")},
    )
    write_table(results, PATHS, tables.paths, provenance)
    write_table(results, SUMMARY, tables.summary, provenance)
    write_table(results, SPRINGS, tables.springs, provenance)
    write_table(results, GEOMETRY, tables.geometry, provenance)
    relaxing.remove()
    for (kind, label), rows in tables.summary.groupby(["kind", "loss"], sort=False):
        click.echo(f"{kind}, {label}: {_outcome(rows)}")
    for (spring, label), rows in tables.springs.groupby(["spring_ev_a2", "loss"], sort=False):
        click.echo(f"held-out, springs of {spring:g} eV/Angstrom^2, {label}: {_outcome(rows)}")
    for item in brought:
        if mark := level_mark(item.level, level):
            click.echo(f"{item.name}: {mark}")


def _outcome(bands: pd.DataFrame) -> str:
    """How many bands converged, and how far off their barriers are."""
    converged = bands[bands["status"] == "converged"]
    error = (converged["barrier"] - converged["barrier_reference"]).abs().mean()
    barrier = f", mean absolute barrier error {error:.2f} kcal/mol" if len(converged) else ""
    return f"{len(converged)} of {len(bands)} converged{barrier}"
