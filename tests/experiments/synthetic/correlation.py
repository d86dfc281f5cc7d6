"""Predictions that scatter least for E-F-H."""

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from hessbench.experiments.correlation.run.tables import CORRELATION
from hessbench.results.store.tables import write_table
from tests.experiments.synthetic import LOSS_LABELS, SEEDS, SETS, Generator, made_from


def write(results: Path, generator: Generator) -> None:
    widths = {"energy": 4.0, "force": 2.0, "hessian": 20.0}
    rows = []
    for loss, test_set, quantity in product(LOSS_LABELS, SETS, widths):
        noise = {"E": 3, "E-F": 1.5, "E-F-H": 0.7}[loss] * widths[quantity]
        reference = generator.normal(0, 25 * widths[quantity], 20000)
        predicted = reference + generator.normal(0, noise, 20000)
        cells = np.stack([reference, predicted], 1) // widths[quantity]
        centres, counts = np.unique(cells, axis=0, return_counts=True)
        centres = (centres + 0.5) * widths[quantity]
        rows += [(loss, test_set, quantity, *c, int(n)) for c, n in zip(centres, counts, strict=True)]
    write_table(
        results,
        CORRELATION,
        pd.DataFrame(rows, columns=["loss", "set", "quantity", "reference_bin", "predicted_bin", "count"]),
        made_from(*SETS, models=len(SEEDS), bin_widths=widths),
    )
