"""A level of theory as a force field: the reference of the experiments."""

from itertools import pairwise

import numpy as np

from hessbench.chemistry.forcefield import ForceFieldError
from hessbench.chemistry.level import Level, LevelError
from hessbench.chemistry.levels import make_level
from hessbench.potential.batch import Batch


class LevelForceField:
    """Energies and derivatives at a level of theory, one molecule after the other.

    The molecules of a batch keep their wave functions from call to call, by their place in it, so a band of
    images or an optimization starts each SCF from the last one.

    Parameters
    ----------
    level
        Name of the level, see `hessbench.chemistry.levels.LEVELS`.
    """

    def __init__(self, level: str) -> None:
        self.level = level
        self._levels: dict[int, Level] = {}

    def __call__(self, batch: Batch) -> tuple[np.ndarray, np.ndarray]:
        """Energies and forces, see `ForceField`."""
        energies, forces = np.empty(len(batch)), np.empty(batch.coordinates.shape)
        for index, (level, coordinates, atoms) in enumerate(self._molecules(batch)):
            try:
                energies[index], gradient = level.gradient(coordinates)
            except LevelError as error:
                raise ForceFieldError(f"Molecule {index} of the batch: {error}") from error
            forces[atoms] = -gradient
        return energies, forces

    def hessians(self, batch: Batch) -> list[np.ndarray]:
        """Hessians by central differences of gradients, see `ForceField`."""
        try:
            return [level.hessian(coordinates) for level, coordinates, _ in self._molecules(batch)]
        except LevelError as error:
            raise ForceFieldError(str(error)) from error

    def _molecules(self, batch: Batch) -> list[tuple[Level, np.ndarray, slice]]:
        offsets = batch.offsets.tolist()
        all_numbers, all_coordinates = batch.numbers.numpy(), batch.coordinates.double().numpy()
        molecules = []
        for index, (start, stop) in enumerate(pairwise(offsets)):
            numbers = all_numbers[start:stop]
            level = self._levels.get(index)
            if level is None or not np.array_equal(level.numbers, numbers):
                level = self._levels[index] = make_level(self.level, numbers)
            molecules.append((level, all_coordinates[start:stop], slice(start, stop)))
        return molecules
