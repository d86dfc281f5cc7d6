"""E-F-H costs most and errs least; more probes come nearer to it."""

from itertools import product
from pathlib import Path

import pandas as pd

from hessbench.experiments.cost.run.tables import COST
from hessbench.results.store.tables import write_table
from tests.experiments.synthetic import Generator, made_from


def write(results: Path, generator: Generator) -> None:
    units = {"energy": "kcal/mol", "force": "kcal/mol/Angstrom", "hessian": "kcal/mol/Angstrom^2"}
    losses = {"E-F": (4.0, 2.0), "E-F-H": (20.0, 1.0)}
    losses |= {"E-F-HVP, 1 probe": (9.0, 1.4), "E-F-HVP, 2 probes": (10.0, 1.2), "E-F-HVP, 1 row": (9.5, 1.6)}
    rows = [
        (
            loss,
            length,
            int(60 * length),
            0,
            quantity,
            units[quantity],
            scale * error * length**-0.3,
            seconds * length,
        )
        for (loss, (seconds, error)), length in product(losses.items(), (0.5, 1.0))
        for quantity, scale in {"energy": 5.0, "force": 6.0, "hessian": 12.0}.items()
    ]
    frame = pd.DataFrame(rows, columns=list(COST.columns))
    write_table(results, COST, frame, made_from("rtp", models=1, percent=80))
