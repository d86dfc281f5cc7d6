"""The part of atomic Hessians that goes through the networks: the sum over layers of T D T'.

Of everything that a Hessian needs this takes most arithmetic and memory. Automatic differentiation would
keep T D and T s of every layer beside T and, blind to the symmetry of T D T', take two products where one
is enough.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


def layer_products(
    tangents: Tensor, slopes: Sequence[Tensor], curvatures: Sequence[Tensor], weights: Sequence[Tensor]
) -> Tensor:
    """Sum over hidden layers of T_l diag(D_l) T_l', with T_(l + 1) = T_l diag(sigma'_l) W'_(l + 1).

    Parameters
    ----------
    tangents
        T_1 (n, rows, width), derivatives of the first layer's inputs z_1 along the rows of n atoms.
    slopes, curvatures
        sigma'_l and D_l of each hidden layer, (n, width).
    weights
        Of the hidden layers but the first, (width, width before).

    Returns
    -------
    Tensor
        (n, rows, rows), differentiable with respect to everything given.
    """
    inner = slopes[: len(weights)]  # the slope of the last layer leads to no other
    if torch.is_grad_enabled():
        total: Tensor = _LayerProducts.apply(len(weights), tangents, *inner, *curvatures, *weights)[0]
        return total
    return _forward(tangents, inner, curvatures, weights)[0]


def _forward(
    tangents: Tensor, slopes: Sequence[Tensor], curvatures: Sequence[Tensor], weights: Sequence[Tensor]
) -> tuple[Tensor, list[Tensor]]:
    """Give the sum and the tangents of all layers."""
    layers = [tangents]
    total = (tangents * curvatures[0].unsqueeze(1)) @ tangents.transpose(1, 2)
    for slope, curvature, weight in zip(slopes, curvatures[1:], weights, strict=True):
        tangents = (tangents * slope.unsqueeze(1)) @ weight.T
        layers.append(tangents)
        total = torch.baddbmm(total, tangents * curvature.unsqueeze(1), tangents.transpose(1, 2))
    return total, layers


class _LayerProducts(torch.autograd.Function):
    """Arguments: number of weights, T_1, slopes, curvatures (one more), weights.

    Gives the sum and, for the reverse pass, the tangents of the layers after the first.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(count: int, tangents: Tensor, *others: Tensor) -> tuple[Tensor, ...]:
        total, layers = _forward(tangents, *_split(count, others))
        return total, *layers[1:]

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        count, tangents, *others = inputs
        ctx.count = count
        ctx.mark_non_differentiable(*output[1:])
        ctx.save_for_backward(tangents, *output[1:], *others)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, adjoint: Tensor, *of_layers: Tensor) -> tuple[Tensor | None, ...]:
        count = ctx.count
        layers, others = ctx.saved_tensors[: count + 1], ctx.saved_tensors[count + 1 :]
        slopes, curvatures, weights = _split(count, others)
        symmetric = adjoint + adjoint.transpose(1, 2)
        of_slopes: list[Tensor] = []
        of_curvatures: list[Tensor] = []
        of_weights: list[Tensor] = []
        of_next: Tensor | None = None  # of T_(l + 1)
        for depth in reversed(range(count + 1)):
            tangents = layers[depth]
            turned = symmetric @ tangents
            of_curvatures.append(0.5 * torch.linalg.vecdot(tangents, turned, dim=1))
            of_tangents = turned * curvatures[depth].unsqueeze(1)
            if of_next is not None:
                slope = slopes[depth].unsqueeze(1)
                of_weights.append(of_next.flatten(0, 1).T @ (tangents * slope).flatten(0, 1))
                back = of_next @ weights[depth]
                of_slopes.append(torch.linalg.vecdot(tangents, back, dim=1))
                of_tangents = torch.addcmul(of_tangents, back, slope)
            of_next = of_tangents
        return None, of_next, *of_slopes[::-1], *of_curvatures[::-1], *of_weights[::-1]


def _split(
    count: int, others: Sequence[Tensor]
) -> tuple[Sequence[Tensor], Sequence[Tensor], Sequence[Tensor]]:
    """Slopes, curvatures and weights of the arguments after the tangents."""
    return others[:count], others[count : 2 * count + 1], others[2 * count + 1 :]
