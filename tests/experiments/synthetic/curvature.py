"""E-F-H off by a tenth of E; minima, TSs, and one structure with two imaginary modes."""

from itertools import product
from pathlib import Path

import pandas as pd

from hessbench.experiments.curvature.run.tables import CURVATURE
from hessbench.results.store.tables import write_table
from tests.experiments.synthetic import LOSS_LABELS, SETS, Generator, made_from


def write(results: Path, generator: Generator) -> None:
    rows = []
    for (position, loss), seed, test_set, structure in product(
        enumerate(LOSS_LABELS), (0, 1), SETS, range(12)
    ):
        imaginary = (0, 1, 0, 2)[structure % 4]
        numbers = {"imaginary": imaginary, "low": 8, "middle": 17, "high": 8 - imaginary}
        error = (400.0, 300.0, 40.0)[position] * generator.normal(1, 0.05)
        rows.append(
            {
                "loss": loss, "seed": seed, "set": test_set, "reaction": f"rxn{structure // 2:06d}",
                "structure": structure, "modes": 33, "eigenvalue_error": error,
                "path_coordinate": float(structure % 2) if test_set == "irc" else None,
                **{f"wavenumber_squared_{name}": error**2 * number for name, number in numbers.items()},
                "close": 20, "lowest_wavenumber": 100.0 * (structure % 2),
                "lowest_wavenumber_reference": 100.0 * (structure % 2),
                **{f"wavenumber_error_{name}": error * number for name, number in numbers.items()},
                **{f"modes_{name}": number for name, number in numbers.items()},
                "zero_point_error": error / 40, "lowest_overlap": 1 - error / 500, "second_overlap": 0.5,
                "imaginary_reference": imaginary, "imaginary": imaginary if position == 2 else 1,
            }
        )  # fmt: skip
    frame = pd.DataFrame(rows)[list(CURVATURE.columns)]
    write_table(results, CURVATURE, frame, made_from(*SETS, models=2))
