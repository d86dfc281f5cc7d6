"""Spreads half as large as the errors, and larger where these are."""

from itertools import product
from pathlib import Path

import pandas as pd

from hessbench.experiments.calibration.run.tables import CALIBRATION
from hessbench.results.store.tables import write_table
from tests.experiments.synthetic import LOSS_LABELS, SETS, Generator, made_from


def write(results: Path, generator: Generator) -> None:
    rows = []
    for loss, test_set, quantity in product(LOSS_LABELS, SETS, ("energy", "force", "hessian")):
        for structure in range(12):
            place = {"loss": loss, "models": 2, "set": test_set, "reaction": f"rxn{structure // 2:06d}"}
            numbers = {"squared": 4.0 * (structure + 1), "variance": structure + 1.0, "count": 9}
            rows.append(place | {"structure": structure, "quantity": quantity} | numbers)
    made = made_from(*SETS, models=2)
    write_table(results, CALIBRATION, pd.DataFrame(rows)[list(CALIBRATION.columns)], made)
