"""Compare a loss of your own with those of the paper, on the data of train_on_own_data.py.

    python examples/own_loss.py            # some 20 seconds; writes example-models/

A loss is a list of terms. In params.yaml the same stands under `training.losses`, and the whole pipeline,
figures and tables included, follows.
"""

from pathlib import Path

import pandas as pd
from train_on_own_data import own_data

from hessbench.data.settings import SplitConfig
from hessbench.data.split import make_split
from hessbench.data.structures import concatenate
from hessbench.potential.ani.settings import ANIConfig
from hessbench.training.ensemble import train_ensemble
from hessbench.training.settings import PAPER_LOSSES, LossConfig, MuonConfig, Term, TrainingConfig

TWO_ROWS = LossConfig(
    label="E-F-rows",
    terms=(
        Term(quantity="energy", weight=1.0),
        Term(quantity="force", weight=1.0),
        Term(quantity="hessian", weight=1.0, estimator="rows", count=2),
    ),
)
"""Two random rows of each Hessian stand for all of it, and all errors weigh the same."""


def main() -> None:
    """Train one model with E-F-H at the paper's weights, and one with the own loss."""
    data = concatenate(own_data())
    split = make_split(data.reactions, "my molecules 1", SplitConfig(training_percents=(80,)))
    config = TrainingConfig(
        seeds=1,
        epochs=20,
        batch_size=4,
        losses={"efh": PAPER_LOSSES["efh"], "two-rows": TWO_ROWS},
        optimizer=MuonConfig(kind="muon", learning_rate=0.02, adam_learning_rate=0.003),
    )
    for loss in config.losses:
        folder = train_ensemble(data, split, loss, 80, ANIConfig(hidden=(64, 48, 32)), config, MODELS)
        last = pd.read_csv(folder / "history.csv").iloc[-1]
        print(f"{folder}: Hessian RMSE {last['validation_hessian_rmse_kcal_mol_A2']:.1f} kcal/mol/Angstrom^2")


MODELS = Path("example-models")

if __name__ == "__main__":
    main()
