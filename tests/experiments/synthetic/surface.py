"""Two valleys and a ridge."""

from pathlib import Path

import numpy as np
import pandas as pd

from hessbench.experiments.surface.run.tables import SURFACE
from hessbench.results.store.tables import write_table
from tests.experiments.synthetic import Generator, made_from


def write(results: Path, generator: Generator) -> None:
    x, y = np.meshgrid(np.linspace(0.9, 2.4, 41), np.linspace(0.9, 2.4, 41))
    energy = 45 * np.exp(-(((x - y) / 0.25) ** 2)) + 180 * ((x + y - 2.9) ** 2) * (0.4 + 0.3 * np.tanh(x - y))
    write_table(
        results,
        SURFACE,
        pd.DataFrame({"x": x.ravel(), "y": y.ravel(), "energy": (energy - energy.min()).ravel()}),
        made_from("single-ts", x_label="d(O–H) (Å)", y_label="d(C–H) (Å)"),
    )
