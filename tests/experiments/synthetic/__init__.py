"""Made-up results of the experiments, to draw with and to judge claims by; never results of anything.

A module is named as the experiment's folder and is found by itself:

write(results, generator)
    Writes the experiment's results tables as its figures and tables want them.
SIMULATIONS
    If the paper makes claims: claim of published.yaml to the function `simulate(results, generator, effect)`
    that writes results with an effect as claimed, or with none; claims may share one.
"""

import importlib
import pkgutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd

from hessbench.config.inputs import Inputs
from hessbench.config.loss_labels import LABELS
from hessbench.results.store.provenance import Provenance
from hessbench.results.store.tables import FLAG, INTEGER, NUMBER, TEXT, Table, write_table
from tests.made_up import provenance

Generator = np.random.Generator
Simulation = Callable[[Path, Generator, bool], None]
LOSSES = ("e", "ef", "efh")
LOSS_LABELS = tuple(LABELS[loss] for loss in LOSSES)
PERCENTS = (2, 5, 10, 20, 40, 60, 80)
SEEDS = (0, 1, 2)
SETS = ("rtp", "irc", "nms")
LEVEL = "GFN2-xTB"
DATA = {name: f"{name} 1.0 {LEVEL} 0123456789ab" for name in (*SETS, "single-ts")}
MACHINE = {"level": LEVEL, "hardware": "2 x made-up core", "seconds": 12.5}
NUMBERS = np.array([6, 7, 6, 8, 1, 1, 1, 1])
"""Elements of `MOLECULE`."""
MOLECULE = np.array(
    [
        [0, 0, 0],
        [1.3, 0.2, 0],
        [2, 1.4, 0.1],
        [3.2, 1.5, 0],
        [-0.5, 0.9, 0.3],
        [-0.4, -0.9, 0.5],
        [1.9, -0.7, 0],
        [1.4, 2.3, 0.1],
    ]
)
BLANK = {TEXT: "", INTEGER: 0, NUMBER: 0.0, FLAG: False}
"""For columns that a claim does not look at."""


def modules() -> list[ModuleType]:
    """The experiments' modules of made-up results, in alphabetical order."""
    return [importlib.import_module(f"{__name__}.{item.name}") for item in pkgutil.iter_modules(__path__)]


def simulations() -> dict[str, Simulation]:
    """Claim of published.yaml to what simulates it."""
    return {
        claim: simulation
        for module in modules()
        for claim, simulation in getattr(module, "SIMULATIONS", {}).items()
    }


def made_from(*sets: str, models: int | None = None, **notes: object) -> Provenance:
    """Provenance of a made-up table."""
    return provenance(Inputs({name: DATA[name] for name in sets}), models=models, notes=notes, **MACHINE)


def write_rows(results: Path, table: Table, rows: list[dict]) -> None:
    """Write a table of a run of `write_made_up_run` with blanks in the columns that the rows leave out."""
    frame = pd.DataFrame(rows)
    others = {column: BLANK[kind] for column, kind in table.columns.items() if column not in frame}
    write_table(results, table, frame.assign(**others), provenance())
