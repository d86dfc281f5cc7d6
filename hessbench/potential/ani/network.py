"""Atomic networks and their derivatives with respect to the features, in plain differentiable torch.

Both the pure and the native path use this module; docs/derivatives.md derives the recursions. Parameters
come as lists of tensors, so the same functions serve one model and, under `torch.func.vmap`, many at once.
"""

import inspect
import math
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from hessbench.potential.ani.architecture import CELU_ALPHA, Activation
from hessbench.potential.ani.model import ANI


@dataclass(frozen=True)
class Network:
    """Parameters of one element's network: weights (outputs, inputs) and biases, first layer first.

    `packed` remembers parts of the first layer for one evaluation.
    """

    weights: list[Tensor]
    biases: list[Tensor | None]
    activation: Activation
    packed: dict[tuple[int, ...], Tensor] = field(default_factory=dict)

    def first_layer(self, columns: Tensor, key: tuple[int, ...]) -> Tensor:
        """Some columns of the first layer, (columns, outputs); gathered once per key and network."""
        if key not in self.packed:
            self.packed[key] = self.weights[0].T.index_select(0, columns)
        return self.packed[key]


@dataclass(frozen=True)
class NetworkState:
    """What a network says about n atoms of its element.

    Attributes
    ----------
    energies
        (n,) atomic energies.
    gradient
        (n, features) derivative g of the energy with respect to the features; None in order 0.
    slopes
        sigma'(z_l) of each hidden layer, (n, width); empty in order 0.
    curvatures
        D_l = b_l sigma''(z_l) of each hidden layer, (n, width), b_l the derivative of the energy with
        respect to the layer's output; empty below order 2.
    """

    energies: Tensor
    gradient: Tensor | None
    slopes: list[Tensor]
    curvatures: list[Tensor]


def networks_of(model: ANI) -> list[Network]:
    """Parameters by element, for features as they are (`ANI.first_layer`)."""
    networks, plain = [], model.is_plain
    for element in range(len(model.elements)):
        layers = model.layers(element)
        weights: list[Tensor] = [layer.weight for layer in layers]
        biases: list[Tensor | None] = [layer.bias for layer in layers]
        if not plain:
            weights[0], biases[0] = model.first_layer(element)
        networks.append(Network(weights, biases, model.architecture.activation))
    return networks


def run(network: Network, features: Tensor, order: int) -> NetworkState:
    """Evaluate a network and, by one reverse sweep, its gradient.

    Parameters
    ----------
    network
        Parameters of one element.
    features
        (n, features).
    order
        0: energies; 1: gradient too; 2: also what Hessians need.
    """
    if len(features) == 0 and not torch.is_grad_enabled():  # most small molecules lack an element
        hidden = [features.new_empty(0, len(weight)) for weight in network.weights[:-1]]
        gradient, slopes, seconds = features if order else None, hidden * (order > 0), hidden * (order > 1)
        return NetworkState(features.new_empty(0), gradient, slopes, seconds)
    activated = features
    slopes, seconds = [], []
    for weight, bias in zip(network.weights[:-1], network.biases[:-1], strict=True):
        z = torch.nn.functional.linear(activated, weight, bias)
        activated, *derivatives = differentiable_activation(network.activation, z, order)
        slopes.extend(derivatives[:1])
        seconds.extend(derivatives[1:])
    last = network.weights[-1]
    energies = torch.nn.functional.linear(activated, last, network.biases[-1]).squeeze(-1)
    if order == 0:
        return NetworkState(energies, None, [], [])
    adjoint = last.expand(features.shape[0], -1)  # b of the last hidden layer
    curvatures = []
    for index in reversed(range(len(slopes))):
        if order > 1:
            curvatures.append(adjoint * seconds[index])
        adjoint = (adjoint * slopes[index]) @ network.weights[index]
    return NetworkState(energies, adjoint, slopes, curvatures[::-1])


def gradient_tangents(network: Network, state: NetworkState, tangents: Tensor) -> Tensor:
    """Derivative of the gradient g along directions in feature space.

    Parameters
    ----------
    network, state
        A network and what `run` gave in order 2.
    tangents
        (n, k, features), directions.

    Returns
    -------
    Tensor
        (n, k, features), the feature-space Hessian of each atom times its directions.
    """
    inner = []
    for weight, slope in zip(network.weights[:-1], state.slopes, strict=True):
        tangents = tangents @ weight.T
        inner.append(tangents)
        tangents = tangents * slope.unsqueeze(1)
    adjoint = torch.zeros_like(tangents)
    for index in reversed(range(len(inner))):
        adjoint = (
            adjoint * state.slopes[index].unsqueeze(1) + state.curvatures[index].unsqueeze(1) * inner[index]
        )
        adjoint = adjoint @ network.weights[index]
    return adjoint


def activation_derivatives(activation: Activation, z: Tensor, order: int) -> list[Tensor]:
    """Sigma and its derivatives up to `order` (at most 3) at z.

    CELU's second derivative jumps at zero; there the value from the left, 1 / alpha, is taken, as in torch.
    """
    if activation == "gelu":
        square = z * z
        normal = torch.exp(-0.5 * square).mul_(1 / math.sqrt(2 * math.pi))
        cumulative = torch.erf(z * math.sqrt(0.5)).add_(1).mul_(0.5)
        values = [z * cumulative, torch.addcmul(cumulative, z, normal)]
        if order > 1:
            values.append(normal * (2 - square))
        if order > 2:
            values.append(normal * (z * (square - 4)))
        return values
    left = z <= 0
    exponential = torch.exp(z.clamp(max=0) / CELU_ALPHA)
    values = [torch.where(left, CELU_ALPHA * (exponential - 1), z), exponential]  # exp(0) = 1 on the right
    for power in range(1, order):
        values.append(torch.where(left, exponential / CELU_ALPHA**power, 0.0))
    return values


def differentiable_activation(activation: Activation, z: Tensor, order: int) -> tuple[Tensor, ...]:
    """Sigma and its derivatives up to `order` (at most 2) at z, differentiable with respect to z."""
    if torch.is_grad_enabled():
        return _Activation.apply(z, activation, order)[:-1]
    return tuple(activation_derivatives(activation, z, order))


class _Activation(torch.autograd.Function):
    """(sigma, sigma', ... up to `order`) of z, differentiable by the next closed-form derivative."""

    generate_vmap_rule = True

    @staticmethod
    def forward(z: Tensor, activation: Activation, order: int) -> tuple[Tensor, ...]:
        # the derivative beyond `order` is returned too, for the reverse pass
        return tuple(activation_derivatives(activation, z, order + 1))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Activation, int], output: tuple[Tensor, ...]) -> None:
        ctx.save_for_backward(*output[1:])
        ctx.mark_non_differentiable(output[-1])

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *adjoints: Tensor) -> tuple[Tensor, None, None]:
        derivatives = ctx.saved_tensors
        total = adjoints[0] * derivatives[0]
        for adjoint, derivative in zip(adjoints[1:-1], derivatives[1:], strict=True):
            total = torch.addcmul(total, adjoint, derivative)
        return total, None, None


# torch looks the signature up at every call, which would take as long as the activation itself
_Activation.forward.__signature__ = inspect.signature(_Activation.forward)  # type: ignore[attr-defined]
