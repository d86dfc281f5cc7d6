"""Times of an epoch: those of E-F-H are longest."""

from itertools import product
from pathlib import Path

import pandas as pd

from hessbench.experiments.epoch_cost.run.tables import EPOCH_COST
from hessbench.results.store.tables import write_table
from tests.experiments.synthetic import LOSS_LABELS, PERCENTS, Generator, Simulation, made_from, write_rows


def write(results: Path, generator: Generator) -> None:
    rows = []
    for (loss, cost), engine, percent, repeat in product(
        {"E": 1, "E-F": 2, "E-F-H": 9}.items(), ("exact", "autograd loop"), PERCENTS, range(3)
    ):
        factor = 8 if (engine == "autograd loop" and loss == "E-F-H") else 1
        rows.append(
            (
                loss,
                engine,
                12 * percent,
                percent,
                repeat,
                cost * factor * percent * 0.01 * generator.normal(1, 0.02),
            )
        )
    write_table(
        results,
        EPOCH_COST,
        pd.DataFrame(rows, columns=["loss", "engine", "structures", "percent", "repeat", "seconds"]).assign(
            timed_structures=12, extrapolated=False
        ),
        made_from("rtp"),
    )


def epochs(results: Path, generator: Generator, effect: bool) -> None:
    """Five repeats with 3 % of noise: E-F-H takes 25 times as long as E-F, or as long."""
    rows = []
    for loss, percent, repeat in product(LOSS_LABELS, (20, 80), range(5)):
        seconds = percent * (25 if effect and loss == "E-F-H" else 1) * generator.normal(1, 0.03)
        rows.append(
            {"loss": loss, "engine": "autograd loop", "percent": percent, "structures": percent}
            | {"repeat": repeat, "seconds": seconds}
        )
    write_rows(results, EPOCH_COST, rows)


SIMULATIONS: dict[str, Simulation] = {"epoch_cost": epochs}
