"""Train with losses of your own: other weights, an estimate, and a quantity that this package does not have.

    python examples/own_loss.py

In a profile (params.yaml, training.losses) the first two need no code: a loss is a list of terms under a name.
"""

from pathlib import Path

import torch
from torch import Tensor

from hessbench.data.layout import ReactionFile
from hessbench.data.settings import SplitConfig
from hessbench.data.split import make_split
from hessbench.data.structures import load_structures
from hessbench.embedded import EMBEDDED
from hessbench.potential import Batch, ModelConfig, Prediction
from hessbench.training.ensemble import train_ensemble
from hessbench.training.settings import TrainingConfig
from hessbench.training.terms import QUANTITIES, Quantity

ENERGY_AND_FORCE = [{"quantity": "energy", "weight": 1}, {"quantity": "force", "weight": 0.08}]
LOSSES = {
    "strong": [*ENERGY_AND_FORCE, {"quantity": "hessian", "weight": 0.2}],
    "rows": [
        *ENERGY_AND_FORCE,
        {"quantity": "hessian", "weight": 0.02, "estimator": {"kind": "rows", "count": 2}},
    ],
    "stiffness": [*ENERGY_AND_FORCE, {"quantity": "trace", "weight": 0.005}],
}


def traces(prediction: Prediction, batch: Batch) -> Tensor | None:
    """Trace of each molecule's Hessian, (M,): the sum of its force constants."""
    if prediction.hessians is None:
        return None
    matrices = (prediction.hessian(batch, molecule) for molecule in range(len(batch)))
    return torch.stack([matrix.diagonal().sum() for matrix in matrices])


# Here, not in main: the processes that train import this file again, and need it, too.
QUANTITIES["trace"] = Quantity("trace", "kcal/mol/Angstrom^2", derivatives=2, values=traces)


def main() -> None:
    """Train one small model with each loss on 30 embedded reactions; write learning curves."""
    path = EMBEDDED / "rtp.h5"
    with ReactionFile(path) as file:
        names, identity = file.names[:30], file.identity
    structures = load_structures(path, names)
    split = make_split(structures.reactions, identity, SplitConfig(by="reaction"))
    model = ModelConfig.model_validate({"kind": "ani", "hidden": [64, 48, 32]})
    training = TrainingConfig.model_validate(
        {
            "seeds": 1,
            "epochs": 10,
            "batch_size": 8,
            "losses": LOSSES,
            "optimizer": {"kind": "adam", "learning_rate": 0.003},
        }
    )
    for name in LOSSES:
        folder = train_ensemble(structures, split, name, 80, model, training, Path("example-models"))
        *_, last = (folder / "history.csv").read_text(encoding="utf-8").splitlines()
        print(f"{folder}/history.csv ends with {last}")


if __name__ == "__main__":
    main()
