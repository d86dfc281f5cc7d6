"""Errors of a model over a set of structures that it is not trained on, while it is trained."""

import math
from typing import Literal

import torch

from hessbench.potential.interface import TrainablePotential
from hessbench.training.batches import Examples, batches, predict_labelled, with_hessians
from hessbench.training.loss import TARGETS
from hessbench.training.settings import ORDERS, Quantity


def validate(
    model: TrainablePotential, examples: Examples, derivatives: Literal[0, 1, 2], batch_size: int
) -> dict[Quantity, float]:
    """Root-mean-square errors over all elements of a set.

    Parameters
    ----------
    model
        As in `hessbench.training.loop.train`.
    examples
        The set; the error of Hessians is that of the structures that have one, and left out if none has.
    derivatives
        0 for energies, 1 for forces too, 2 for Hessians too.
    batch_size
        Structures predicted at once.

    Returns
    -------
    dict
        By quantity ("energy", "force", "hessian"), kcal/mol, kcal/mol/Angstrom, kcal/mol/Angstrom^2.
    """
    if examples.structures.hessians is None:
        derivatives = min(derivatives, 1)
    squares, elements = dict.fromkeys(TARGETS, 0.0), dict.fromkeys(TARGETS, 0)
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    for parameter in trainable:  # nothing is kept for a reverse pass
        parameter.requires_grad_(False)
    try:
        for batch, reference in batches(examples, batch_size, next(model.parameters())):
            labelled = len(with_hessians(batch, reference)) if derivatives == 2 else 0
            prediction = predict_labelled(model, batch, labelled, derivatives, None)
            for quantity, target in TARGETS.items():
                predicted, wanted = target.values(prediction), target.values(reference)
                if ORDERS[quantity] <= derivatives and predicted is not None and wanted is not None:
                    error = predicted.detach() - wanted
                    squares[quantity] += float(torch.sum(error.double() ** 2))
                    elements[quantity] += error.numel()
    finally:
        for parameter in trainable:
            parameter.requires_grad_(True)
    return {
        quantity: math.sqrt(squares[quantity] / elements[quantity])
        for quantity in squares
        if elements[quantity]
    }
