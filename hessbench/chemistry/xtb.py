"""Extended tight binding (GFN2-xTB, GFN1-xTB) through tblite."""

from typing import Any

import numpy as np
from tblite.exceptions import TBLiteRuntimeError
from tblite.interface import Calculator as TBLiteCalculator
from tblite.interface import Result

from hessbench.chemistry.level import LevelError, central_difference_hessian
from hessbench.units import BOHR, HARTREE


class XTB:
    """An extended tight-binding method through tblite.

    Parameters
    ----------
    method
        Name known to tblite, "GFN2-xTB" or "GFN1-xTB".
    numbers
        (N,) atomic numbers.
    charge, multiplicity
        Of the molecule.
    accuracy
        Of tblite: the SCF converges to accuracy x 1e-6 Eh.
    """

    def __init__(
        self, method: str, numbers: np.ndarray, charge: int = 0, multiplicity: int = 1, accuracy: float = 0.1
    ) -> None:
        self.name = method
        self.numbers = np.asarray(numbers)
        self._options: dict[str, Any] = {"charge": charge, "uhf": multiplicity - 1}
        self._accuracy = accuracy
        self._calculator: TBLiteCalculator | None = None
        self._result: Result | None = None

    def gradient(self, coordinates: np.ndarray) -> tuple[float, np.ndarray]:
        """Energy and gradient, see `Level.gradient`."""
        self._result = self._single_point(coordinates, self._result)
        return (
            float(self._result["energy"]) * HARTREE,
            np.array(self._result["gradient"]) * (HARTREE / BOHR),
        )

    def hessian(self, coordinates: np.ndarray) -> np.ndarray:
        """Hessian by central differences of gradients, see `Level.hessian`."""
        return central_difference_hessian(self.gradient, coordinates)

    def _single_point(self, coordinates: np.ndarray, guess: Result | None) -> Result:
        try:
            if self._calculator is None:
                self._calculator = TBLiteCalculator(
                    self.name, self.numbers, coordinates / BOHR, **self._options
                )
                self._calculator.set("verbosity", 0)
                self._calculator.set("accuracy", self._accuracy)
            else:
                self._calculator.update(np.ascontiguousarray(coordinates / BOHR))
            return self._calculator.singlepoint(guess)
        except TBLiteRuntimeError as error:
            if guess is not None:
                # A bad start can keep an SCF from converging that converges from the default guess.
                return self._single_point(coordinates, None)
            self._result = None
            raise LevelError(f"{self.name}: {error}") from error
