"""Potentials given by a function, for tests that need a surface whose answers are known."""

from collections.abc import Callable

import numpy as np

from hessbench.potential.array_potential import ArrayPotential
from hessbench.potential.batch import Batch


class Analytic(ArrayPotential):
    """The surface of a function that gives energies (M,) and forces (A, 3) of a batch."""

    def __init__(self, function: Callable[[Batch], tuple[np.ndarray, np.ndarray]]) -> None:
        super().__init__()
        self.function = function

    def energies_and_forces(self, batch: Batch) -> tuple[np.ndarray, np.ndarray]:
        """Energies and forces."""
        return self.function(batch)
