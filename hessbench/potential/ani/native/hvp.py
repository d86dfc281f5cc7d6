"""Hessian-vector products: compiled geometry times vectors, the networks' part by autograd."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from hessbench.potential.ani.native import products
from hessbench.potential.ani.native.build import NativeGeometry
from hessbench.potential.ani.native.layout import Floats
from hessbench.potential.ani.native.runtime import as_array
from hessbench.potential.ani.network import Network, NetworkState, gradient_tangents


def hessian_products(
    networks: list[Network],
    states: list[NetworkState],
    gradient: Tensor,
    probes: Tensor,
    geometry: NativeGeometry,
) -> Tensor:
    """H p of all molecules for probes (A, 3, k): J' dg + (g . K) p, dg the change of g along J p."""
    directions = torch.from_numpy(push_forward(probes, geometry))
    turned = [
        gradient_tangents(network, state, directions[first:last])
        for network, state, first, last in zip(
            networks, states, geometry.first_slots, geometry.first_slots[1:], strict=False
        )
    ]
    return differentiable_pull_back(torch.cat(turned), geometry) + _Curvature.apply(
        gradient, probes, geometry
    )


def push_forward(vectors: Tensor, geometry: NativeGeometry) -> Floats:
    """J v: vectors (A, 3, k) by atom -> (A, k, F) by slot."""
    values = as_array(vectors)
    atoms, features = geometry.features.shape
    result = np.zeros((atoms, values.shape[2], features), values.dtype)
    geometry.over_chunks(products.push_forward, values, result)
    return result


def pull_back(gradient: Floats, geometry: NativeGeometry) -> Floats:
    """J' g: gradient (A, k, F) by slot -> (A, 3, k) by atom."""
    result = np.zeros((len(gradient), 3, gradient.shape[1]), gradient.dtype)
    geometry.over_chunks(products.pull_back, gradient, result)
    return result


def differentiable_pull_back(gradient: Tensor, geometry: NativeGeometry) -> Tensor:
    """J' g: gradient (A, k, F) by slot -> (A, 3, k) by atom, differentiable with respect to the gradient."""
    result: Tensor = _PullBack.apply(gradient, geometry)
    return result


class _PullBack(torch.autograd.Function):
    """Differentiable `pull_back`."""

    @staticmethod
    def forward(ctx: Any, gradient: Tensor, geometry: NativeGeometry) -> Tensor:
        ctx.geometry = geometry
        return torch.from_numpy(pull_back(as_array(gradient), geometry))

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, adjoint: Tensor) -> tuple[Tensor, None]:
        return torch.from_numpy(push_forward(adjoint, ctx.geometry)), None


class _Curvature(torch.autograd.Function):
    """(g . K) v: gradient (A, F) by slot and vectors (A, 3, k) by atom -> (A, 3, k)."""

    @staticmethod
    def forward(ctx: Any, gradient: Tensor, vectors: Tensor, geometry: NativeGeometry) -> Tensor:
        ctx.geometry = geometry
        ctx.save_for_backward(gradient, vectors)
        values = as_array(vectors)
        result = np.zeros_like(values)
        geometry.over_chunks(products.curvature_times, as_array(gradient), values, result)
        return torch.from_numpy(result)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, adjoint: Tensor) -> tuple[Tensor, None, None]:
        gradient, vectors = ctx.saved_tensors
        result = np.zeros(gradient.shape, as_array(gradient).dtype)
        ctx.geometry.over_chunks(
            products.curvature_times_adjoint, as_array(vectors), as_array(adjoint), result
        )
        return torch.from_numpy(result), None, None
