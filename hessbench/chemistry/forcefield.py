"""What the experiments need of a potential: energies and forces of a batch of molecules, Hessians if asked.

An ANI model, a level of theory and whatever a user brings are all used through this interface, so that the
same experiment runs for each of them.
"""

from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from hessbench.errors import HessbenchError
from hessbench.potential import ANI, Batch, evaluate
from hessbench.potential.ani.files import load


class ForceFieldError(HessbenchError):
    """A potential could not be evaluated at some geometry."""


class ForceField(Protocol):
    """A potential of molecules; energies may have any constant offset per composition."""

    def __call__(self, batch: Batch) -> tuple[np.ndarray, np.ndarray]:
        """Energies (M,) in kcal/mol and forces (A, 3) in kcal/mol/Angstrom, float64.

        Raises
        ------
        ForceFieldError
            A geometry cannot be evaluated.
        """
        ...

    def hessians(self, batch: Batch) -> list[np.ndarray]:
        """Hessian (3 N, 3 N) of each molecule, kcal/mol/Angstrom^2, symmetric.

        Raises
        ------
        ForceFieldError
            A geometry cannot be evaluated.
        """
        ...


class ModelForceField:
    """An ANI model as a force field, self-energies included.

    Parameters
    ----------
    model
        The model; batches are converted to its dtype.
    """

    def __init__(self, model: ANI) -> None:
        self.model = model.requires_grad_(False)

    def __call__(self, batch: Batch) -> tuple[np.ndarray, np.ndarray]:
        """Energies and forces, see `ForceField`."""
        prediction = evaluate(self.model, batch.to(dtype=self.model.dtype), 1)
        assert prediction.forces is not None
        return self._energies(batch, prediction.energies), prediction.forces.detach().double().numpy()

    def hessians(self, batch: Batch) -> list[np.ndarray]:
        """Hessians, see `ForceField`."""
        converted = batch.to(dtype=self.model.dtype)
        prediction = evaluate(self.model, converted, 2)
        return [
            prediction.hessian(converted, molecule).detach().double().numpy()
            for molecule in range(len(batch))
        ]

    def _energies(self, batch: Batch, network: torch.Tensor) -> np.ndarray:
        energies: np.ndarray = (network.detach().double() + self.model.self_energy(batch)).numpy()
        return energies


def load_model(path: Path) -> ModelForceField:
    """Read a trained model.

    Raises
    ------
    DataError
        The file is missing or damaged.
    """
    return ModelForceField(load(path))
