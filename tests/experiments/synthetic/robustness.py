"""Without scaled features E-F-H is worse than E-F in all."""

from itertools import product
from pathlib import Path

import pandas as pd

from hessbench.config.loss_labels import LABELS
from hessbench.experiments.errors.run.tables import ERRORS
from hessbench.experiments.robustness.run.tables import ROBUSTNESS
from hessbench.results.published import read_published
from hessbench.results.store.tables import write_table
from tests.experiments.synthetic import LOSSES, SETS, Generator, made_from


def write(results: Path, generator: Generator) -> None:
    published, name = read_published(), "unscaled-features"
    for loss in LOSSES:
        rows = []
        for test_set, quantity, seed in product(SETS, ("energy", "force", "hessian"), (0, 1)):
            rmse = published.cell(test_set, {"efh": "ef", "ef": "efh"}.get(loss, loss), quantity).rmse
            for structure in range(40):
                place = {"loss": LABELS[loss], "percent": 80, "seed": seed, "set": test_set}
                place |= {"reaction": f"rxn{structure // 4:06d}", "structure": structure}
                error = rmse * generator.normal(1, 0.01)
                rows.append(
                    place | {"quantity": quantity, "squared": error**2, "absolute": error, "count": 1}
                )
        made = made_from(*SETS, models=2)
        write_table(results / "robustness" / name, ERRORS, pd.DataFrame(rows), made, f"{loss}-80")
    index = pd.DataFrame([("unscaled features", name, 2)], columns=list(ROBUSTNESS.columns))
    write_table(results, ROBUSTNESS, index, made_from(*SETS, models=2, percent=80))
