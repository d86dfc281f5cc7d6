"""From structures in memory to the batches a model is trained on."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hessbench.data.structures import Structures
from hessbench.potential.batch import Batch, Prediction
from hessbench.potential.interface import Derivatives, TrainablePotential


@dataclass(frozen=True)
class Examples:
    """Structures with the energies to learn.

    Attributes
    ----------
    structures
        With forces and Hessians as the loss needs them.
    energies
        (M,) float64, kcal/mol, without the atomic energies: total energies need more digits than float32 has.
    """

    structures: Structures
    energies: NDArray[np.float64]

    def __len__(self) -> int:
        """Return the number of structures."""
        return len(self.energies)


def to_tensors(examples: Examples, dtype: torch.dtype) -> tuple[Batch, Prediction]:
    """Make one batch of all these structures, and the values to learn; those with Hessians come first."""
    if examples.structures.labelled is not None:
        order = np.argsort(~examples.structures.labelled, kind="stable")
        examples = Examples(examples.structures.select(order), examples.energies[order])
    structures = examples.structures
    hessians = None if structures.hessians is None else torch.as_tensor(structures.hessians, dtype=dtype)
    return Batch.from_structures(structures, dtype), Prediction(
        energies=torch.as_tensor(examples.energies, dtype=dtype),
        forces=torch.as_tensor(structures.forces, dtype=dtype),
        hessians=hessians,
    )


def batches(
    examples: Examples, size: int, like: Tensor, order: NDArray[np.integer] | None = None
) -> Iterator[tuple[Batch, Prediction]]:
    """Go once over the structures, `size` at a time, in the order given or as they stand.

    Batches have the dtype of `like` and are on its device.
    """
    order = np.arange(len(examples)) if order is None else order
    for first in range(0, len(order), size):
        indices = order[first : first + size]
        part = Examples(examples.structures.select(indices), examples.energies[indices])
        batch, values = to_tensors(part, like.dtype)
        yield batch.to(like.device), values.to(like.device)


def with_hessians(batch: Batch, values: Prediction) -> Batch:
    """Take the molecules of a batch whose Hessians are among the values to learn: they come first."""
    elements = 0 if values.hessians is None else values.hessians.numel()
    return batch.slice(0, int(torch.searchsorted(batch.hessian_offsets, elements)))


def predict_labelled(
    model: TrainablePotential, batch: Batch, labelled: int, derivatives: Derivatives, probes: Tensor | None
) -> Prediction:
    """Predict a batch, but Hessians and products only for its first molecules, which have labels of these.

    Parameters
    ----------
    model
        The potential.
    batch
        M molecules.
    labelled
        How many of them, from the first one on, have a Hessian.
    derivatives
        What is asked for; of the others at most forces.
    probes
        (A, 3, k) for the A atoms of the labelled molecules, or None.

    Returns
    -------
    Prediction
        Energies and forces of all molecules, Hessians and products of the labelled ones, None if there are
        none of these.
    """
    whole = derivatives < 2 and probes is None
    if whole or labelled == len(batch):
        return model.predict(batch, derivatives, probes)
    lower: Derivatives = 1 if derivatives == 2 else derivatives
    if labelled == 0:
        return model.predict(batch, lower)
    first = model.predict(batch.slice(0, labelled), derivatives, probes)
    rest = model.predict(batch.slice(labelled, len(batch)), lower)
    forces = None
    if first.forces is not None and rest.forces is not None:
        forces = torch.cat([first.forces, rest.forces])
    return replace(first, energies=torch.cat([first.energies, rest.energies]), forces=forces)
