"""What an ANI model takes from its training structures before the first step: mean and spread of features."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from hessbench.data.structures import Structures
from hessbench.potential.ani.architecture import Architecture
from hessbench.potential.ani.model import ANI
from hessbench.potential.ani.reference import pad
from hessbench.potential.ani.stacked_descriptors import path_features, present_features
from hessbench.potential.batch import Batch

FLOOR = 0.01
"""Smallest spread of a feature that is divided by; features reach a few units."""
FLOOR_OF_ONE_STRUCTURE = 0.1
"""The same where all is learned from one structure, which may have one atom of an element."""
AT_ONCE = 64
"""Structures whose features are evaluated at once."""


def feature_statistics(model: ANI, structures: Structures) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation (at least `FLOOR`) of each feature over the atoms of each element.

    Returns
    -------
    Two (elements, features) tensors; zeros and ones for an element that the structures lack.
    """
    shape = model.feature_scale.shape
    count = torch.zeros(shape[0], 1, dtype=torch.float64)
    total, squares = torch.zeros(2, *shape, dtype=torch.float64)
    with torch.no_grad():
        for first in range(0, len(structures), AT_ONCE):
            part = structures.select(np.arange(first, min(first + AT_ONCE, len(structures))))
            batch = Batch.from_structures(part, model.dtype)
            species, coordinates, position = pad(batch, model)
            features = model.aev(species, coordinates).flatten(0, 1)[position].double()
            element = model.element_indices(batch.numbers)
            count.index_add_(0, element, torch.ones(len(element), 1, dtype=torch.float64))
            total.index_add_(0, element, features)
            squares.index_add_(0, element, features**2)
    mean = total / count.clamp(min=1)
    spread = (squares / count.clamp(min=1) - mean**2).clamp(min=0).sqrt().clamp(min=FLOOR)
    return mean.to(model.dtype), torch.where(count > 0, spread, 1.0).to(model.dtype)


def structure_statistics(
    architecture: Architecture, numbers: np.ndarray, coordinates: np.ndarray
) -> Iterator[tuple[int, Tensor, Tensor, Tensor]]:
    """Mean and standard deviation of each feature over the atoms of each element of one structure.

    Parameters
    ----------
    architecture
        Says which features.
    numbers, coordinates
        (N,) and (N, 3), Angstrom.

    Yields
    ------
    Index of an element present, indices (F,) of the features that can differ from zero, their mean, and their
    spread, at least `FLOOR_OF_ONE_STRUCTURE`, (F,) float64 each.
    """
    columns = present_features(architecture, numbers)
    for element, features in path_features(architecture, numbers, coordinates[None], torch.float64):
        spread = features[0].std(0, correction=0).clamp(min=FLOOR_OF_ONE_STRUCTURE)
        yield element, columns, features[0].mean(0), spread
