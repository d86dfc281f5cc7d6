"""Made-up results of a whole run, to draw with; never results of anything.

`python -m tests.reproduce.synthetic_results FOLDER` writes FOLDER/results, FOLDER/models and FOLDER/tables.
The results of an experiment are made up in tests/experiments/synthetic.
"""

import json
import sys
from dataclasses import asdict
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from hessbench.config.loss_labels import LABELS
from hessbench.results.published import read_published
from tests.experiments import synthetic
from tests.experiments.synthetic import DATA, LOSSES, PERCENTS, SEEDS, Generator
from tests.made_up import trained, write_made_up_run


def models(folder: Path, generator: Generator) -> None:
    """Learning curves, and headers of model files without weights worth the name."""
    from safetensors.numpy import save_file

    architecture = {
        "elements": ["H", "C", "N", "O"],
        "hidden": [[160, 128, 96], [144, 112, 96], [128, 112, 96], [128, 112, 96]],
        "activation": "celu",
        "biases": True,
        "symmetry_functions": {
            "radial_cutoff": 5.2,
            "angular_cutoff": 3.5,
            "radial_shifts": [0.9 + 0.26875 * k for k in range(16)],
            "angular_shifts": [0.9, 1.55, 2.2, 2.85],
            "angular_sections": [0.196 + 0.393 * k for k in range(8)],
        },
    }
    for loss, percent in product(LOSSES, PERCENTS):
        target = folder / "models" / str(percent) / loss
        target.mkdir(parents=True, exist_ok=True)
        rows = []
        for seed, epoch in product(SEEDS, range(1, 31)):
            decay = np.exp(-epoch / 10) + 0.15 + generator.normal(0, 0.004)
            row = {"epoch": epoch, "seed": seed, "training_loss": 40 * decay, "training_seconds": 2.0}
            for part, factor in (("training", 1.0), ("validation", 1.15)):
                row |= {
                    f"{part}_energy_rmse_kcal_mol": 30 * decay * factor,
                    f"{part}_force_rmse_kcal_mol_A": 60 * decay * factor,
                }
                row[f"{part}_hessian_rmse_kcal_mol_A2"] = (
                    120 * decay * factor
                    if epoch % 10 == 0 or (part == "training" and loss == "efh")
                    else None
                )
            rows.append(row)
        pd.DataFrame(rows).to_csv(target / "history.csv", index=False)
        inputs = asdict(trained(loss, percent, {"rtp": DATA["rtp"]}))
        (target / "training.json").write_text(json.dumps({"inputs": inputs, "label": LABELS.get(loss, loss)}))
        header = json.dumps({"format": "hessbench ANI 1", "architecture": architecture, "notes": {}})
        save_file({"self_energies": np.zeros(4)}, target / "0.safetensors", metadata={"hessbench": header})


def verdicts(folder: Path) -> None:
    rows = []
    words = ("reproduced", "direction only", "not reproduced", "undecided", "not testable")
    for k, (claim, content) in enumerate(read_published().claims.items()):
        rows.append(
            {
                "claim": claim, "section": content.section, "quote": content.quote,
                "statement": content.statement, "verdict": words[k % 5],
                "direction": ("reproduced", "reproduced", "opposite", "undecided", "")[k % 5],
                "size": "consistent", "size_ratio": 0.82, "testable": "limited", "published": 0.376,
                "reproduced": 0.31, "ci_low": 0.22, "ci_high": 0.42, "reason": "a made-up reason",
                "details": "a number: 0.31 [0.22, 0.42]\nbeside it: another",
            }
        )  # fmt: skip
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).to_csv(folder / "tables" / "verdicts.csv", index=False)


def write_all(folder: Path) -> None:
    """The same results every time, those of an experiment whichever others there are."""
    for module in synthetic.modules():
        module.write(folder / "results", np.random.default_rng(7))
    models(folder, np.random.default_rng(7))
    verdicts(folder)
    write_made_up_run(folder / "results", "synthetic", DATA)


if __name__ == "__main__":
    write_all(Path(sys.argv[1]))
