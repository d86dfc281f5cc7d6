"""Train models on data of your own, and see how well they predict what they have not seen.

Bring the data into the one layout first, then name the file:

    hessbench convert mine.extxyz mine.h5
    python examples/train_on_own_data.py mine.h5

Without a file, 30 of the reactions that come with the package are learnt, in a minute or two. The models are
written to the folder example-models; predict_hessian.py takes one of them.
"""

import sys
from pathlib import Path

import numpy as np

from hessbench.data.layout import ReactionFile
from hessbench.data.settings import SplitConfig
from hessbench.data.split import make_split
from hessbench.data.structures import load_structures
from hessbench.embedded import EMBEDDED
from hessbench.potential import Batch, ModelConfig, load
from hessbench.potential.evaluation import energies_and_forces
from hessbench.training.ensemble import train_ensemble
from hessbench.training.settings import TrainingConfig

MODELS = Path("example-models")
MODEL = ModelConfig.model_validate({"kind": "ani", "hidden": [64, 48, 32]})
TRAINING = TrainingConfig.model_validate(
    {
        "seeds": 2,
        "epochs": 30,
        "batch_size": 8,
        "losses": {
            "efh": [
                {"quantity": "energy", "weight": 1},
                {"quantity": "force", "weight": 0.08},
                {"quantity": "hessian", "weight": 0.02},
            ]
        },
        "optimizer": {"kind": "muon", "learning_rate": 0.01, "adam_learning_rate": 0.003},
    }
)


def main(arguments: list[str]) -> None:
    """Train on 80 % of the structures, whole reactions together, and test on 10 % that were held out."""
    path = Path(arguments[0]) if arguments else EMBEDDED / "rtp.h5"
    with ReactionFile(path) as file:
        names, identity = file.names if arguments else file.names[:30], file.identity
    structures = load_structures(path, names)
    split = make_split(structures.reactions, identity, SplitConfig(by="reaction"))
    folder = train_ensemble(structures, split, "efh", 80, MODEL, TRAINING, MODELS)

    held_out = structures.select(split.test)
    for model_file in sorted(folder.glob("*.safetensors")):
        model = load(model_file)
        energies, forces = energies_and_forces(model, Batch.from_structures(held_out, model.dtype))
        energy, force = rms(energies - held_out.energies), rms(forces - held_out.forces)
        print(f"{model_file}: RMSE {energy:.2f} kcal/mol, {force:.2f} kcal/mol/Angstrom")


def rms(differences: np.ndarray) -> float:
    """Root of the mean square."""
    return float(np.sqrt(np.mean(differences**2)))


if __name__ == "__main__":  # the processes that train import this file again
    main(sys.argv[1:])
