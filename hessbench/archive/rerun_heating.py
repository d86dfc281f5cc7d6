"""One molecule heated anew with an archived model."""

from pathlib import Path

import pandas as pd

from hessbench.archive.layout import PARAMS, RESULTS
from hessbench.archive.model_rows import rows_with_models
from hessbench.archive.outcome import Difference, Found
from hessbench.config.base import load_section
from hessbench.errors import HessbenchError
from hessbench.experiments.stability.run.heating import heat
from hessbench.experiments.stability.run.molecules import read_molecules
from hessbench.experiments.stability.run.settings import StabilityConfig
from hessbench.experiments.stability.run.tables import STABILITY
from hessbench.potential.registry import load
from hessbench.system.denormals import flushed_denormals

TIME = 5.0
"""Deviation of the time at which a bond breaks, fs."""


def check_heating(archive: Path) -> Found:
    """Heat the molecule that broke first of all, anew, and compare when, and which bond.

    The first one, because trajectories of another processor part: what differs by rounding grows tenfold in
    a fraction of a picosecond, and a molecule that holds for long breaks at another time then, though at
    about the same temperature.

    Raises
    ------
    HessbenchError
        A table is missing or damaged, or has no molecule that an archived model heated.
    """
    models, table = rows_with_models(archive, STABILITY)
    row = _first_to_break(table)
    model = models[row["loss"], row["seed"]]
    config = load_section(StabilityConfig, "stability", archive / PARAMS)
    molecules = read_molecules(config.molecules)
    name = str(row["molecule"])
    if name not in molecules:
        raise HessbenchError(f"{config.molecules}: has no {name}, which the archived run heated.")
    stream = f"{model.label}/{model.seed}"
    config = config.model_copy(update={"trajectory_molecule": name})
    with flushed_denormals():
        outcomes = heat({name: molecules[name]}, load(model.path), config, stream).outcomes
    outcome = next((item for item in outcomes if item.replica == row["replica"]), None)
    if outcome is None:
        raise HessbenchError(f"{PARAMS}, stability.replicas: {name} has no replica {row['replica']}.")
    place = f"{name}, {model.label}, seed {model.seed}, replica {row['replica']}"
    file = STABILITY.path(Path(RESULTS)).as_posix()
    bond = row["bond"] if isinstance(row["bond"], str) else None
    differences = [
        Difference(file, f"{place}, {what}", str(expected), str(found))
        for what, expected, found in (("status", row["status"], outcome.status), ("bond", bond, outcome.bond))
        if expected != found
    ]
    deviation = abs(outcome.time_fs - row["time_fs"])
    if deviation > TIME:
        differences.append(
            Difference(file, f"{place}, time", f"{row['time_fs']:g} fs", f"{outcome.time_fs:g} fs")
        )
    return Found(
        f"{place}: {row['status']} after {row['time_fs']:g} fs at {row['temperature_k']:g} K",
        f"{deviation:g} of {TIME:g} fs",
        differences,
    )


def _first_to_break(table: pd.DataFrame) -> pd.Series:
    """Row of the molecule that broke first in dynamics; if none did, of one whose optimization failed."""
    order = {"failed": 0, "close contact": 0, "optimization failed": 1, "censored": 2}
    ranked = table.assign(later=table["status"].map(order))
    return ranked.sort_values(["later", "time_fs", "loss", "seed", "molecule", "replica"]).iloc[0]
