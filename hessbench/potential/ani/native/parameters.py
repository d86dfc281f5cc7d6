"""The parameters of a model, flat in memory as the kernels want them, and their gradients back."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor

from hessbench.potential.ani.architecture import Architecture
from hessbench.potential.ani.model import ANI
from hessbench.potential.ani.native.layout import Floats, shape_of
from hessbench.potential.ani.network import networks_of


@dataclass(frozen=True)
class Place:
    """Where a parameter stands among flat weights or biases."""

    bias: bool
    start: int


def parameters_of(model: ANI) -> list[Tensor]:
    """Parameters for features as they are (`networks_of`), in the order of `places_of_parameters`."""
    return [
        parameter
        for network in networks_of(model)
        for layer in zip(network.weights, network.biases, strict=True)
        for parameter in layer
        if parameter is not None
    ]


@cache
def places_of_parameters(architecture: Architecture) -> list[Place]:
    """Lay parameters out by element and layer, weights and biases apart, as `Shape` says."""
    shape = shape_of(architecture)
    places = []
    for element, widths in enumerate(architecture.hidden):
        bias = int(shape.bias[element])
        starts = [*shape.weight[element, : len(widths)].tolist(), int(shape.out[element])]
        for layer, start in enumerate(starts):
            places.append(Place(False, start))
            if architecture.biases:
                places.append(Place(True, bias))
            bias += widths[layer] if layer < len(widths) else 1
    return places


def flatten(model: ANI, parameters: list[Tensor]) -> tuple[Floats, Floats]:
    """Copy weights and biases."""
    shape, dtype = shape_of(model.architecture), parameters[0].detach().numpy().dtype
    weights, biases = np.empty(shape.size, dtype), np.zeros(shape.biases, dtype)
    for parameter, place in zip(parameters, places_of_parameters(model.architecture), strict=True):
        flat = biases if place.bias else weights
        flat[place.start : place.start + parameter.numel()] = parameter.detach().numpy().ravel()
    return weights, biases


def unflatten(model: ANI, parameters: list[Tensor], weights: Floats, biases: Floats) -> list[Tensor]:
    """Adjoint of `flatten`: gradients of the parameters, in the memory of the flat ones."""
    gradients = []
    for parameter, place in zip(parameters, places_of_parameters(model.architecture), strict=True):
        flat = biases if place.bias else weights
        gradient = flat[place.start : place.start + parameter.numel()].reshape(parameter.shape)
        gradients.append(torch.from_numpy(gradient))
    return gradients
