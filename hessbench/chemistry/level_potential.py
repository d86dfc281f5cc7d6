"""A level of theory as a potential: the reference of the experiments."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from hessbench.chemistry.level import Level, LevelError
from hessbench.chemistry.levels import make_level
from hessbench.errors import PotentialError
from hessbench.potential.array_potential import ArrayPotential
from hessbench.potential.batch import Batch
from hessbench.potential.evaluation import Array


class LevelPotential(ArrayPotential):
    """Energies and derivatives at a level of theory, one molecule after the other.

    The molecules of a batch keep their wave functions from call to call, by their place in it, so a band of
    images or an optimization starts each SCF from the last one.

    Parameters
    ----------
    level
        Name of the level, see `hessbench.chemistry.levels.LEVELS`.
    """

    def __init__(self, level: str) -> None:
        super().__init__()
        self.level = level
        self._levels: dict[int, tuple[tuple[int, int], Level]] = {}

    def energies_and_forces(self, batch: Batch) -> tuple[Array, Array]:
        """Energies and forces, see `ArrayPotential.energies_and_forces`.

        Raises
        ------
        PotentialError
            The calculation failed for a molecule.
        """
        energies, forces = np.empty(len(batch)), np.empty(batch.coordinates.shape)
        for index, (level, coordinates, atoms) in enumerate(self._molecules(batch)):
            try:
                energies[index], gradient = level.gradient(coordinates)
            except LevelError as error:
                raise PotentialError(f"Molecule {index} of the batch: {error}") from error
            forces[atoms] = -gradient
        return energies, forces

    def hessians(self, batch: Batch) -> list[Array]:
        """Hessians as the level computes them, see `ArrayPotential.hessians`; errors as for the forces."""
        try:
            return [level.hessian(coordinates) for level, coordinates, _ in self._molecules(batch)]
        except LevelError as error:
            raise PotentialError(str(error)) from error

    def compute(self, batch: Batch, second: bool) -> tuple[Array, Array, Sequence[Array] | None]:
        """Energies, forces and perhaps Hessians, see `ArrayPotential.compute`."""
        if not second:
            return super().compute(batch, second)
        # a Hessian's displacements start from the molecules' last wave functions; its centre has its own
        return *LevelPotential(self.level).energies_and_forces(batch), self.hessians(batch)

    def _molecules(self, batch: Batch) -> list[tuple[Level, np.ndarray, slice]]:
        all_numbers, all_coordinates = batch.numbers.numpy(), batch.coordinates.numpy()
        molecules = []
        for index, (start, stop) in enumerate(pairwise(batch.offsets.tolist())):
            numbers = all_numbers[start:stop]
            state = batch.state(index)
            known, level = self._levels.get(index, (None, None))
            if level is None or known != state or not np.array_equal(level.numbers, numbers):
                level = make_level(self.level, numbers, *state)
                self._levels[index] = state, level
            molecules.append((level, all_coordinates[start:stop], slice(start, stop)))
        return molecules
