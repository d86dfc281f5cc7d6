"""A level of theory that looks its results up in a journal before it computes them.

What is built on levels (optimizers, paths) and depends on nothing but their results can so be repeated
after a kill: it goes through the same geometries, and only what is new is computed.
"""

import hashlib
from collections.abc import Callable

import numpy as np

from hessbench.chemistry.level import Level
from hessbench.system.journal import Journal, Outcome


class Recorded:
    """The results of a level for one molecule, kept in a journal.

    Parameters
    ----------
    level
        Computes what the journal does not hold.
    journal
        Of one molecule and level; its settings must say which.
    """

    def __init__(self, level: Level, journal: Journal) -> None:
        self.name = level.name
        self.numbers = level.numbers
        self._level = level
        self._journal = journal

    def gradient(self, coordinates: np.ndarray) -> tuple[float, np.ndarray]:
        """Energy and gradient, see `Level.gradient`."""

        def compute() -> dict[str, np.ndarray]:
            energy, gradient = self._level.gradient(coordinates)
            return {"energy": np.array(energy), "gradient": gradient}

        arrays = self._look_up("gradient", coordinates, compute)
        return float(arrays["energy"]), arrays["gradient"]

    def hessian(self, coordinates: np.ndarray) -> np.ndarray:
        """Hessian, see `Level.hessian`."""
        compute = lambda: {"hessian": self._level.hessian(coordinates)}  # noqa: E731
        return self._look_up("hessian", coordinates, compute)["hessian"]

    def _look_up(
        self, quantity: str, coordinates: np.ndarray, compute: Callable[[], dict[str, np.ndarray]]
    ) -> dict[str, np.ndarray]:
        geometry = np.ascontiguousarray(coordinates, dtype=float).tobytes()
        name = f"{quantity} {hashlib.sha256(geometry).hexdigest()}"
        outcome = self._journal.get(name)
        if outcome is None:
            outcome = Outcome(name, compute())
            self._journal.add(outcome)
        return outcome.arrays
