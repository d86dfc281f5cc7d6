"""`hessbench neb`: reaction paths of the ensembles and of the level of theory."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before a numerical library is loaded; bands run in parallel

import time
from dataclasses import replace
from pathlib import Path

import click
import pandas as pd

from hessbench.calculators.brought import bring, calculators_option
from hessbench.calculators.card import level_mark
from hessbench.cluster.workers import workers
from hessbench.comparison.potentials import brought_potential, level_potential, trained_potentials
from hessbench.config.base import load_section
from hessbench.config.options import results_option
from hessbench.data.layout import ReactionFile
from hessbench.data.locations import SPLIT, active_file
from hessbench.errors import HessbenchError
from hessbench.experiments.neb.run.bands import keeping_bands, keeping_reactions, run_neb
from hessbench.experiments.neb.run.choosing import reactions_of
from hessbench.experiments.neb.run.control import CONTROL, origin, read_control, write_control
from hessbench.experiments.neb.run.settings import NebConfig
from hessbench.experiments.neb.run.tables import GEOMETRY, PATHS, SPRINGS, STAGE, SUMMARY
from hessbench.reactions.geometries import ReactionGeometries
from hessbench.reactions.held_out import of_level, reference_level, unseen_saddles
from hessbench.results.store.provenance import made_here
from hessbench.results.store.tables import write_table
from hessbench.system.alone import alone_in_results


@click.command()
@click.option(
    "--reference",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Instead, compute anew what depends on no model, the searches for reactions and the bands at the "
    "level of theory, and put it into this file (.npz), beside what it holds of the same code. That of "
    "profiles desktop and ci comes with the package.",
)
@results_option
@calculators_option
@alone_in_results("neb")
def command(reference: Path | None, results: Path, calculators: tuple[str, ...]) -> None:
    """Relax nudged elastic bands: neb_paths, neb_summary, neb_springs, neb_geometry.parquet of results.

    Interrupted, it goes on: bands that are finished are not relaxed again.
    """
    begin = time.perf_counter()
    config = load_section(NebConfig, "neb")
    if reference is not None:
        if calculators:
            raise HessbenchError("--reference computes the level of theory alone; leave --calculator out.")
        _, level, candidates = _candidates(config, results)
        checkpoints = results / "checkpoints" / "neb-reference"
        click.echo(write_control(reference, config, level, candidates, checkpoints))
        return
    potentials, trained = trained_potentials(config.losses, config.percent, config.seeds)
    brought = [bring(source) for source in calculators]  # what cannot be used is better known before
    potentials += [brought_potential(item) for item in brought]
    data, level, candidates = _candidates(config, results)
    inputs = STAGE.inputs({"rtp": data}, {"neb": config}).joined(*trained)
    control, note = read_control(CONTROL)
    if note:
        click.echo(note)
    checkpoints = results / "checkpoints" / "neb"
    searching = keeping_reactions(workers(config.processes), checkpoints, level, config)
    searching = replace(searching, known=control.contents)
    reactions = reactions_of(config, level, candidates, searching)
    for reaction in reactions:
        if reaction.trained:
            click.echo(
                f"{reaction.kind}, {reaction.name}: no reaction of this kind is wholly held out; of this one "
                f"the transition state is, models are trained on {' and '.join(sorted(reaction.trained))}"
            )
    potentials.append(level_potential(level))
    relaxing = keeping_bands(workers(config.processes), checkpoints, reactions, config)
    relaxing = replace(relaxing, known=control.contents)
    tables = run_neb(reactions, potentials, config, relaxing)
    of_package = origin(control, searching, relaxing, tables)
    provenance = made_here(
        inputs,
        level=level,
        models=config.seeds,
        seconds=time.perf_counter() - begin,
        notes={"neb": config.model_dump(mode="json"), "reference": of_package},
    )
    write_table(results, PATHS, tables.paths, provenance)
    write_table(results, SUMMARY, tables.summary, provenance)
    write_table(results, SPRINGS, tables.springs, provenance)
    write_table(results, GEOMETRY, tables.geometry, provenance)
    relaxing.remove()
    click.echo(of_package)
    for (kind, label), rows in tables.summary.groupby(["kind", "loss"], sort=False):
        click.echo(f"{kind}, {label}: {_outcome(rows)}")
    for (spring, label), rows in tables.springs.groupby(["spring_ev_a2", "loss"], sort=False):
        click.echo(f"held-out, springs of {spring:g} eV/Angstrom^2, {label}: {_outcome(rows)}")
    for item in brought:
        if mark := level_mark(item.level, level):
            click.echo(f"{item.name}: {mark}")


def _candidates(config: NebConfig, results: Path) -> tuple[str, str, list[ReactionGeometries]]:
    """Name of the active data, level of theory of the reference, and the reactions to choose from."""
    with ReactionFile(active_file("rtp")) as file:
        data, stated = file.identifier, file.metadata.level
    level = reference_level(stated, config.level, "neb.level")
    geometries, note = of_level(config.geometries, level)
    if note:
        click.echo(note)
    return data, level, unseen_saddles(geometries, active_file("rtp"), results / SPLIT)


def _outcome(bands: pd.DataFrame) -> str:
    """How many bands converged, and how far off their barriers are."""
    converged = bands[bands["status"] == "converged"]
    error = (converged["barrier"] - converged["barrier_reference"]).abs().mean()
    barrier = f", mean absolute barrier error {error:.2f} kcal/mol" if len(converged) else ""
    return f"{len(converged)} of {len(bands)} converged{barrier}"
