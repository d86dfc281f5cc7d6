"""What the checks of a potential work with: potential, structures, comparisons that name both values."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from hessbench.errors import HessbenchError
from hessbench.potential.batch import Batch, Prediction
from hessbench.potential.evaluation import Array, as_array
from hessbench.potential.interface import Derivatives, Potential


class InvalidPotentialError(HessbenchError):
    """An object does not keep to what `hessbench.potential.Potential` says."""


@dataclass(frozen=True)
class Tolerances:
    """How far apart values may be that should be equal, and how far atoms are moved to find out.

    Attributes
    ----------
    energy
        Energies of a molecule in another batch, place, orientation or order of atoms, kcal/mol.
    repeated
        Its forces, Hessians and products, as a share of the largest.
    difference
        Derivatives from central differences of the next lower ones, as a share of the largest.
    symmetry
        Hessians from their transposes, as a share of the largest element.
    step
        Displacement of the differences, Angstrom.
    """

    energy: float
    repeated: float
    difference: float
    symmetry: float
    step: float


TOLERANCES = {
    torch.float64: Tolerances(energy=0.01, repeated=2e-3, difference=5e-3, symmetry=1e-6, step=1e-3),
    torch.float32: Tolerances(energy=0.05, repeated=2e-3, difference=2e-2, symmetry=1e-4, step=1e-2),
}
"""By dtype; wide enough for a self-consistent field, or for differences of forces, behind a potential."""
UNITS = {
    "energy": "kcal/mol",
    "force": "kcal/mol/Angstrom",
    "Hessian": "kcal/mol/Angstrom^2",
    "product": "kcal/mol/Angstrom^2",
}


@dataclass(frozen=True)
class Subject:
    """A potential and the structures on which it is checked.

    Attributes
    ----------
    batch
        In the potential's dtype and on its device.
    probes
        (A, 3, k).
    names
        Formulas of the structures.
    """

    potential: Potential
    batch: Batch
    probes: Tensor
    names: list[str]

    @property
    def tolerances(self) -> Tolerances:
        """Those of the potential's dtype."""
        return TOLERANCES[self.potential.dtype]

    def predict(self, batch: Batch, derivatives: Derivatives, probes: Tensor | None = None) -> Prediction:
        """Predict as experiments do, without a reverse pass."""
        with torch.no_grad():
            return self.potential.predict(batch, derivatives, probes)

    def predict_all(self, batch: Batch, probes: Tensor) -> list["Values"]:
        """Everything that can be asked for, by molecule."""
        prediction = self.predict(batch, 2, probes)
        assert prediction.forces is not None  # check_shapes comes first
        assert prediction.products is not None
        counts = batch.counts.tolist()
        return [
            Values(
                float(energy),
                as_array(forces),
                as_array(prediction.hessian(batch, index)),
                as_array(products),
            )
            for index, (energy, forces, products) in enumerate(
                zip(
                    prediction.energies,
                    prediction.forces.split(counts),
                    prediction.products.split(counts),
                    strict=True,
                )
            )
        ]


@dataclass(frozen=True)
class Values:
    """What was predicted for one molecule: energy, forces (N, 3), Hessian (3 N, 3 N), products (N, 3, k)."""

    energy: float
    forces: Array
    hessian: Array
    products: Array


def require_same(
    subject: Subject, index: int, found: Values, expected: Values, ways: tuple[str, str], remedy: str
) -> None:
    """Everything predicted for a molecule is as expected."""
    rounding = 20 * torch.finfo(subject.potential.dtype).eps * abs(expected.energy)
    tolerance = subject.tolerances.energy + rounding
    energies = np.array([found.energy]), np.array([expected.energy])
    require_equal(subject, index, "energy", *energies, tolerance, ways, remedy)
    for quantity, first, second in (
        ("force", found.forces, expected.forces),
        ("Hessian", found.hessian, expected.hessian),
        ("product", found.products, expected.products),
    ):
        tolerance = subject.tolerances.repeated * np.abs(second).max()
        require_equal(subject, index, quantity, first, second, tolerance, ways, remedy)


def require_equal(
    subject: Subject,
    index: int,
    quantity: str,
    found: Array,
    expected: Array,
    tolerance: float,
    ways: tuple[str, str],
    remedy: str,
) -> None:
    """Two arrays of a molecule agree; else name the two values that are farthest apart."""
    error = np.abs(found - expected)
    if error.max() <= tolerance:
        return
    place = np.unravel_index(error.argmax(), error.shape)
    raise InvalidPotentialError(
        f"{quantity} of {subject.names[index]}{_named(quantity, place)} is {found[place]:.6g} "
        f"{UNITS[quantity]} {ways[0]}, {expected[place]:.6g} {ways[1]}: {remedy}."
    )


def _named(quantity: str, place: tuple) -> str:
    """Atoms and axes of an element of an array."""
    if quantity == "energy":
        return ""
    if quantity == "Hessian":
        first, second = (f"{'xyz'[int(i) % 3]} of atom {int(i) // 3}" for i in place)
        return f" by {first} and {second}"
    return f", {'xyz'[int(place[1])]} of atom {int(place[0])}"
