"""`hessbench surface`: a cut through a potential energy surface."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before a numerical library is loaded: one molecule at a time

from pathlib import Path

import click
import numpy as np

from hessbench.chemistry.level_potential import LevelPotential
from hessbench.config.options import results_option
from hessbench.data.layout import Reaction, ReactionFile
from hessbench.data.locations import active_file
from hessbench.embedded import EMBEDDED
from hessbench.errors import DataError
from hessbench.experiments.surface.run.cut import hydrogen_cut
from hessbench.experiments.surface.run.tables import STAGE, SURFACE
from hessbench.reactions.held_out import geometries_by_role, has_usual_state
from hessbench.reactions.kinds import bond_changes
from hessbench.results.store.provenance import made_here
from hessbench.results.store.tables import write_table

LEVEL = "GFN2-xTB"
"""Whatever the level of the data: quick, and the figure is an illustration."""


def first_hydrogen_transfer(path: Path) -> tuple[Reaction, dict[str, np.ndarray]] | None:
    """First single hydrogen transfer of a file and its geometries by role."""
    with ReactionFile(path) as file:
        for reaction in filter(has_usual_state, file):
            roles = geometries_by_role(reaction)
            if (
                len(roles) == 3
                and bond_changes(reaction.numbers, roles["R"], roles["P"]).is_single_hydrogen_transfer
            ):
                return reaction, roles
    return None


@click.command()
@results_option
def command(results: Path) -> None:
    """Cut the surface of the first single hydrogen transfer of the active data: results/surface.parquet.

    A small data set may have none: then that of the first one of the embedded data.
    """
    path, embedded = active_file("rtp"), EMBEDDED / "rtp.h5"
    with ReactionFile(path) as file:
        inputs = STAGE.inputs({"rtp": file.identifier})
    found = first_hydrogen_transfer(path)
    note = {}
    if found is None:
        click.echo(f"{path}: no single hydrogen transfer in H, C, N, O in it; one of {embedded} is taken.")
        found = first_hydrogen_transfer(embedded)
        with ReactionFile(embedded) as file:
            note = {"note": f"surface of a reaction of {file.identifier}"}
    if found is None:
        raise DataError(embedded, "no single hydrogen transfer in it; restore the file.")
    reaction, roles = found
    table = hydrogen_cut(reaction.numbers, roles["R"], roles["TS"], roles["P"], LevelPotential(LEVEL))
    provenance = made_here(
        inputs,
        level=LEVEL,
        notes={
            **note,
            "reaction": reaction.name,
            "x_label": "H along donor–acceptor (Å)",
            "y_label": "H above it (Å)",
        },
    )
    path = write_table(results, SURFACE, table, provenance)
    click.echo(f"{path}: {len(table)} points, {reaction.name}")
