"""From structures in memory to the batches a model is trained on."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hessbench.data.structures import Structures
from hessbench.potential.batch import Batch, Prediction


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
    """Make one batch of all these structures, and the values to learn."""
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
