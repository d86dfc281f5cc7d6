"""Small molecules on an analytic surface, for tests that train and evaluate: bonds are Morse curves."""

import numpy as np
import torch
from ase.build import molecule

from hessbench.data.layout import Metadata, Reaction
from hessbench.data.structures import Structures, concatenate
from hessbench.potential.ani.settings import ANIConfig
from hessbench.training.settings import PAPER_LOSSES, LossConfig, Term, TrainingConfig

MODEL = ANIConfig(hidden=(8, 6), activation="gelu", biases=True)
METADATA = Metadata("synthetic", "1", "Morse", "tests", "none", "none", "tests")
ATOMIC_ENERGIES = {1: -300.0, 6: -23000.0, 8: -47000.0}


def surface(coordinates: torch.Tensor) -> torch.Tensor:
    """Morse curves between all atoms, kcal/mol."""
    first, second = torch.triu_indices(len(coordinates), len(coordinates), 1)
    distances = (coordinates[first] - coordinates[second]).norm(dim=1)
    return (20 * (1 - torch.exp(-(distances - 1.3))) ** 2).sum()


def reactions(count: int = 4, structures: int = 3, seed: int = 0) -> list[Reaction]:
    """Distorted H2O, CH4, H2CO and HCO2H, by turns."""
    random = np.random.default_rng(seed)
    made = []
    for index in range(count):
        atoms = molecule(("H2O", "CH4", "H2CO", "HCOOH")[index % 4])
        coordinates = atoms.positions + random.normal(0, 0.08, (structures, len(atoms), 3))
        energies, forces, hessians = [], [], []
        for positions in torch.as_tensor(coordinates):
            energies.append(float(surface(positions)) + sum(ATOMIC_ENERGIES[z] for z in atoms.numbers))
            forces.append(-torch.autograd.functional.jacobian(surface, positions).numpy())
            hessian = torch.autograd.functional.hessian(surface, positions)
            hessians.append(hessian.reshape(positions.numel(), -1).numpy())
        made.append(
            Reaction(
                name=f"rxn{index:06d}",
                numbers=atoms.numbers.astype(np.uint8),
                coordinates=coordinates,
                energies=np.array(energies),
                forces=np.array(forces),
                hessians=np.array(hessians),
            )
        )
    return made


def structures(count: int = 4, per_reaction: int = 3, seed: int = 0) -> Structures:
    """The same, in memory."""
    return concatenate(reactions(count, per_reaction, seed))


def loss_of(energy: float = 1, force: float = 0, hessian: float = 0, **estimator: object) -> LossConfig:
    """A loss of the terms whose weights are not zero; `estimator` and `count` of the Hessian's."""
    weights = {"energy": energy, "force": force, "hessian": hessian}
    terms = [
        Term.model_validate(
            {"quantity": quantity, "weight": weight} | (estimator if quantity == "hessian" else {})
        )
        for quantity, weight in weights.items()
        if weight
    ]
    return LossConfig(terms=tuple(terms))


def training_config(**changes: object) -> TrainingConfig:
    """A short training with Muon."""
    content = {
        "seeds": 2,
        "processes": 1,
        "epochs": 4,
        "batch_size": 4,
        "losses": {
            **{name: loss.model_dump() for name, loss in PAPER_LOSSES.items()},
            "efhvp": loss_of(1, 0.08, 0.02, estimator="rademacher", count=1).model_dump(),
        },
        "optimizer": {
            "kind": "muon",
            "learning_rate": 3e-3,
            "first_layer": {"learning_rate": 3e-3},
            "adam_learning_rate": 3e-3,
            "schedule": {"kind": "linear", "warmup_steps": 2},
        },
        "hessian_validation_epochs": 2,
        "checkpoint_epochs": 1,
    }
    return TrainingConfig.model_validate(content | changes)
