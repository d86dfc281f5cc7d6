"""Errors that fall as the weight of forces grows."""

from itertools import product
from pathlib import Path

import pandas as pd

from hessbench.config.loss_labels import LABELS
from hessbench.experiments.weights.run.tables import OWN, WEIGHTS
from hessbench.results.published import read_published
from hessbench.results.store.tables import write_table
from tests.experiments.synthetic import SETS, Generator, made_from


def write(results: Path, generator: Generator) -> None:
    published = read_published()
    units = {"energy": "kcal/mol", "force": "kcal/mol/Angstrom", "hessian": "kcal/mol/Angstrom^2"}
    pairs = {"0.08 / 0.02": (0.08, 0.02), "0.28 / 0.14": (0.28, 0.14), OWN: (1.0, 1.0)}
    rows = []
    for loss, (choice, (force, hessian)), seed in product(("ef", "efh"), pairs.items(), (0, 1)):
        for test_set, quantity in product(SETS, units):
            scale = published.cell(test_set, loss, quantity).rmse * force**-0.1 * generator.normal(1, 0.03)
            eta = hessian if loss == "efh" else None
            rows.append((LABELS[loss], choice, force, eta, seed, test_set, quantity, units[quantity], scale))
    frame = pd.DataFrame(rows, columns=list(WEIGHTS.columns))
    made = made_from(*SETS, models=2, percent=80)
    write_table(results, WEIGHTS, frame, made)
