"""What experiments ask of any potential: total energies, arrays in float64 whatever its dtype and device."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hessbench.errors import HessbenchError
from hessbench.potential.batch import Batch, Prediction, element_indices
from hessbench.potential.interface import Derivatives, Potential, TrainablePotential

Array = NDArray[np.float64]


def sums_of_atomic_energies(potential: Potential, batch: Batch) -> Tensor:
    """Sum of the energies of the free atoms of each molecule, (M,) float64, kcal/mol."""
    energies = potential.atomic_energies[element_indices(potential.elements, batch.numbers)]
    return energies.new_zeros(len(batch)).index_add_(0, batch.molecule, energies)


def total_energies(potential: Potential, batch: Batch, prediction: Prediction) -> Tensor:
    """Energies predicted for a batch together with those of the free atoms, (M,) float64, kcal/mol."""
    return prediction.energies.double() + sums_of_atomic_energies(potential, batch)


def energies_and_forces(potential: Potential, batch: Batch) -> tuple[Array, Array]:
    """Total energies (M,) in kcal/mol and forces (A, 3) in kcal/mol/Angstrom.

    Parameters
    ----------
    potential
        Any.
    batch
        M molecules with A atoms in all, on any device and of any dtype.
    """
    own = batch.to(potential.device, potential.dtype)
    with torch.no_grad():
        prediction = potential.predict(own, 1)
        energies = total_energies(potential, own, prediction)
    return as_array(energies), as_array(given(prediction.forces, "forces"))


def hessians(potential: Potential, batch: Batch) -> list[Array]:
    """Hessian (3 N, 3 N) of each molecule, kcal/mol/Angstrom^2; parameters as in `energies_and_forces`."""
    own = batch.to(potential.device, potential.dtype)
    with torch.no_grad():
        prediction = potential.predict(own, 2)
    return [as_array(prediction.hessian(own, molecule)) for molecule in range(len(batch))]


def predict_each(
    potentials: Sequence[Potential], batch: Batch, derivatives: Derivatives, probes: Tensor | None = None
) -> list[Prediction]:
    """Predictions of several potentials for one batch, which is converted to the dtype and device of each.

    What trained potentials of one architecture share is computed once.
    """
    architecture = type(potentials[0])
    own = batch.to(potentials[0].device, potentials[0].dtype)
    if issubclass(architecture, TrainablePotential) and all(type(p) is architecture for p in potentials):
        return architecture.predict_ensemble(potentials, own, derivatives, probes)  # type: ignore[arg-type]
    return [
        potential.predict(batch.to(potential.device, potential.dtype), derivatives, probes)
        for potential in potentials
    ]


def as_array(values: Tensor) -> Array:
    """Copy to float64 on the CPU."""
    array: Array = values.detach().cpu().double().numpy()
    return array


def given(values: Tensor | None, name: str) -> Tensor:
    """Insist on a part of a prediction that was asked for.

    Raises
    ------
    HessbenchError
        The potential left it out.
    """
    if values is None:
        raise HessbenchError(
            f"The potential predicted no {name} though they were asked for; `hessbench.potential.validate` "
            "says what a potential must give."
        )
    return values
