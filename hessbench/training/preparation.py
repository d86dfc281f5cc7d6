"""What an ANI model takes from its training set before the first step: self-energies and feature scale."""

import torch
from torch import Tensor

from hessbench.data.structures import Structures
from hessbench.potential import ANI
from hessbench.potential.ani.reference import pad
from hessbench.training.batches import Examples, batches
from hessbench.training.self_energies import compositions, fit_self_energies

FLOOR = 0.01
"""Smallest spread of a feature that is divided by; features reach a few units."""


def prepare(model: ANI, training: Structures, *, scale_features: bool) -> None:
    """Fit self-energies and, if asked for, the feature scale of a model to its training structures."""
    fitted = fit_self_energies(
        training.numbers, training.counts, training.energies, model.architecture.numbers
    )
    model.self_energies.copy_(torch.as_tensor(fitted))
    if scale_features:
        model.feature_scale.copy_(feature_spread(model, training))


def examples(model: ANI, structures: Structures) -> Examples:
    """Structures with their energies less the model's self-energies, subtracted in float64."""
    atoms = compositions(structures.numbers, structures.counts, model.architecture.numbers)
    return Examples(structures, structures.energies - atoms @ model.self_energies.numpy())


def feature_spread(model: ANI, structures: Structures, floor: float = FLOOR) -> Tensor:
    """Standard deviation of each feature over the atoms of each element, at least `floor`.

    Returns
    -------
    (elements, features) tensor; one for an element that the structures lack.
    """
    shape = model.feature_scale.shape
    count = torch.zeros(shape[0], 1, dtype=torch.float64)
    total, squares = torch.zeros(2, *shape, dtype=torch.float64)
    with torch.no_grad():
        for batch, _ in batches(Examples(structures, structures.energies), 64, model.dtype):
            species, coordinates, position = pad(batch, model)
            features = model.aev(species, coordinates).flatten(0, 1)[position].double()
            element = model.element_indices(batch.numbers)
            count.index_add_(0, element, torch.ones(len(element), 1, dtype=torch.float64))
            total.index_add_(0, element, features)
            squares.index_add_(0, element, features**2)
    mean = total / count.clamp(min=1)
    spread = (squares / count.clamp(min=1) - mean**2).clamp(min=0).sqrt().clamp(min=floor)
    return torch.where(count > 0, spread, 1.0).to(model.dtype)
