"""Errors of the paper's size, larger by what another level of theory might give."""

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from hessbench.config.loss_labels import LABELS
from hessbench.experiments.errors.claims import STATISTICS
from hessbench.experiments.errors.run.tables import ERRORS
from hessbench.results.published import read_published
from hessbench.results.store.tables import write_table
from tests.experiments.synthetic import DATA, LOSSES, MACHINE, PERCENTS, SEEDS, SETS, Generator, Simulation
from tests.made_up import provenance, trained
from tests.synthetic_errors import ELEMENTS, PAPER

GFN = {"energy": 1.4, "force": 1.6, "hessian": 2.0}
"""How much larger than the paper's."""


def write(results: Path, generator: Generator) -> None:
    published = read_published()
    for loss, percent in product(LOSSES, PERCENTS):
        rows = []
        for test_set in SETS if percent == 80 else ("irc", "nms"):
            for quantity, seed in product(("energy", "force", "hessian"), SEEDS):
                cell = published.cell(test_set, loss, quantity)
                scale = cell.rmse * GFN[quantity] * (80 / percent) ** 0.25 * generator.normal(1, 0.03)
                for structure in range(40):
                    count = {"energy": 1, "force": 24, "hessian": 576}[quantity]
                    squared = float((scale**2) * generator.chisquare(count))
                    rows.append(
                        {
                            "loss": LABELS[loss], "percent": percent, "seed": seed, "set": test_set,
                            "reaction": f"rxn{structure // 4:06d}", "structure": structure,
                            "quantity": quantity, "squared": squared,
                            "absolute": float(np.sqrt(squared * count)) * 0.8, "count": count,
                        }
                    )  # fmt: skip
        sets = {name: DATA[name] for name in SETS}
        made = provenance(trained(loss, percent, sets), models=len(SEEDS), **MACHINE)
        write_table(results, ERRORS, pd.DataFrame(rows), made, f"{loss}-{percent}")


def simulate(results: Path, generator: Generator, effect: bool) -> None:
    """Errors of the paper, or those of E for all, of four models on ten reactions, some harder than others.

    They fall with the amount of data, E-F's and E's along a line that comes to those of E-F-H with 40 times,
    on IRC with twice, as much.
    """
    hard = np.exp(generator.normal(0, 0.3, 10))
    for loss, percent in product(LOSSES, (2, 20, 80)):
        rows = []
        for (test_set, name, quantity), rmse in PAPER.items():
            if name != loss:
                continue
            target = rmse if effect else PAPER[test_set, "e", quantity]
            if effect and percent < 80 and quantity == "energy":
                factor = {"nms": 40.0, "irc": 2.0}.get(test_set, 1.0) if loss == "efh" else 1.0
                target = PAPER[test_set, "ef", quantity] * (percent * factor / 80) ** -0.3
            elif percent < 80:
                target *= (percent / 80) ** -0.3
            for seed in range(4):
                errors = target * hard * generator.normal(1, 0.005) * np.exp(generator.normal(0, 0.01, 10))
                count = ELEMENTS[quantity]
                rows.append(
                    pd.DataFrame(
                        {"loss": LABELS[loss], "percent": percent, "seed": seed, "set": test_set}
                        | {"reaction": [f"r{k}" for k in range(10)], "structure": 0, "quantity": quantity}
                        | {"squared": count * errors**2, "absolute": count * errors, "count": count}
                    )
                )
        made = provenance(trained(loss, percent))
        write_table(results, ERRORS, pd.concat(rows), made, f"{loss}-{percent}")


SIMULATIONS: dict[str, Simulation] = dict.fromkeys(STATISTICS, simulate)
