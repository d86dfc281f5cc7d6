"""The parameters of a model, flat in memory as the kernels want them, and their gradients back."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor

from hessbench.potential.ani.architecture import Architecture
from hessbench.potential.ani.model import ANI
from hessbench.potential.ani.native.layout import Floats, shape_of


@dataclass(frozen=True)
class Place:
    """Where a parameter stands among flat weights or biases; `scaled` names the element of a first layer."""

    bias: bool
    start: int
    scaled: int | None


def parameters_of(model: ANI) -> list[Tensor]:
    """Parameters in the order of `places_of_parameters`."""
    return [
        parameter
        for element in range(len(model.elements))
        for layer in model.layers(element)
        for parameter in (layer.weight, layer.bias)
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
            places.append(Place(False, start, element if layer == 0 else None))
            if architecture.biases:
                places.append(Place(True, bias, None))
            bias += widths[layer] if layer < len(widths) else 1
    return places


def flatten(model: ANI, parameters: list[Tensor]) -> tuple[Floats, Floats]:
    """Copy weights and biases; first layers are divided by the feature scale."""
    shape, scale = shape_of(model.architecture), model.feature_scale.numpy()
    weights, biases = np.empty(shape.size, scale.dtype), np.zeros(shape.biases, scale.dtype)
    for parameter, place in zip(parameters, places_of_parameters(model.architecture), strict=True):
        values = parameter.detach().numpy()
        target = (biases if place.bias else weights)[place.start : place.start + values.size]
        if place.scaled is None:
            target[:] = values.ravel()
        else:
            np.divide(values, scale[place.scaled], out=target.reshape(values.shape))
    return weights, biases


def unflatten(model: ANI, parameters: list[Tensor], weights: Floats, biases: Floats) -> list[Tensor]:
    """Adjoint of `flatten`: gradients of the parameters, in the memory of the flat ones."""
    scale = model.feature_scale.numpy()
    gradients = []
    for parameter, place in zip(parameters, places_of_parameters(model.architecture), strict=True):
        source = biases if place.bias else weights
        gradient = source[place.start : place.start + parameter.numel()].reshape(parameter.shape)
        if place.scaled is not None:
            gradient /= scale[place.scaled]
        gradients.append(torch.from_numpy(gradient))
    return gradients
