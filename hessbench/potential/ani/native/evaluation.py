"""Energies, forces, Hessians and their products: compiled kernels around the networks in torch.

Autograd differentiates the networks (`hessbench.potential.ani.network`); what is linear in their gradient,
slopes and curvatures has its reverse pass in kernels.
"""

import copy
import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hessbench.potential.ani.model import ANI
from hessbench.potential.ani.native import forces, products, tangents
from hessbench.potential.ani.native.build import NativeGeometry, build
from hessbench.potential.ani.native.layout import Floats
from hessbench.potential.ani.native.runtime import as_array, compile_once, run_parts
from hessbench.potential.ani.network import Network, NetworkState, gradient_tangents, networks_of, run
from hessbench.potential.batch import Batch, Prediction


def evaluate_native(
    models: Sequence[ANI], batch: Batch, derivatives: int, probes: Tensor | None = None
) -> list[Prediction]:
    """Evaluate models of one architecture on one batch, see `hessbench.potential.ani.evaluation`."""
    dtype = np.dtype(str(batch.coordinates.dtype).removeprefix("torch."))
    compile_once(dtype, lambda: _exercise(models[0], batch.coordinates.dtype))
    geometry = build(models[0], batch, derivatives, products=probes is not None)
    return [evaluate_geometry(model, geometry, derivatives, probes) for model in models]


def evaluate_geometry(
    model: ANI, geometry: NativeGeometry, derivatives: int, probes: Tensor | None = None
) -> Prediction:
    """Evaluate a batch whose geometry is known; products with probes (A, 3, k) need no packed Jacobian."""
    features, networks = torch.from_numpy(geometry.features), networks_of(model)
    states = [
        run(network, features[first:last], derivatives if probes is None else 2)
        for network, (first, last) in zip(networks, geometry.slots, strict=True)
    ]
    molecule = torch.from_numpy(geometry.layout.molecule[geometry.layout.order])
    atomic = torch.cat([state.energies for state in states])
    energies = atomic.new_zeros(len(geometry.layout.start) - 1).index_add(0, molecule, atomic)
    if derivatives == 0 and probes is None:
        return Prediction(energies)
    gradient = torch.cat([state.gradient for state in states if state.gradient is not None])
    hessians = turned = None
    if derivatives > 1:
        tensors = [
            tensor
            for network, state in zip(networks, states, strict=True)
            for tensor in (*network.weights[:-1], *state.slopes, *state.curvatures)
        ]
        depths = [len(state.slopes) for state in states]
        hessians = _Hessians.apply(geometry, depths, torch.is_grad_enabled(), gradient, *tensors)
    if probes is not None:
        turned = _products(networks, states, gradient, probes, geometry)
    return Prediction(energies, _Forces.apply(gradient, geometry) if derivatives else None, hessians, turned)


def _products(
    networks: list[Network],
    states: list[NetworkState],
    gradient: Tensor,
    probes: Tensor,
    geometry: NativeGeometry,
) -> Tensor:
    """H p, (A, 3, k): J' dg + (g . K) p, dg the change of the gradient along J p."""
    directions = torch.stack([_push_forward(column, geometry) for column in probes.detach().unbind(2)], 1)
    changes = torch.cat(
        [
            gradient_tangents(network, state, directions[first:last])
            for network, state, (first, last) in zip(networks, states, geometry.slots, strict=True)
        ]
    )
    columns = [-_Forces.apply(change, geometry) for change in changes.unbind(1)]
    return torch.stack(columns, 2) + _Curvature.apply(gradient, probes, geometry)


def _push_forward(vectors: Tensor, geometry: NativeGeometry) -> Tensor:
    """J v: vectors (A, 3) by atom -> (A, F) by slot."""
    result = np.zeros_like(geometry.features)
    geometry.over_chunks(forces.push_forward, geometry.seen_by_pairs(as_array(vectors)), result)
    return torch.from_numpy(result)


class _Forces(torch.autograd.Function):
    """Gradient (A, F) by slot -> forces (A, 3) by atom."""

    @staticmethod
    def forward(ctx: Any, gradient: Tensor, geometry: NativeGeometry) -> Tensor:
        ctx.geometry = geometry
        result = np.zeros((len(gradient), 3), geometry.features.dtype)
        geometry.over_chunks(forces.pull_back, as_array(gradient), result)
        return torch.from_numpy(-result)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, adjoint: Tensor) -> tuple[Tensor, None]:
        return _push_forward(-adjoint, ctx.geometry), None


class _Curvature(torch.autograd.Function):
    """(g . K) p: gradient (A, F) by slot, vectors (A, 3, k) by atom -> (A, 3, k)."""

    @staticmethod
    def forward(ctx: Any, gradient: Tensor, vectors: Tensor, geometry: NativeGeometry) -> Tensor:
        ctx.geometry, ctx.differences = geometry, geometry.seen_by_pairs(as_array(vectors))
        result = np.zeros(vectors.shape, geometry.features.dtype)
        geometry.over_chunks(products.curvature_times, as_array(gradient), ctx.differences, result)
        return torch.from_numpy(result)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, adjoint: Tensor) -> tuple[Tensor, None, None]:
        result, seen = np.zeros_like(ctx.geometry.features), ctx.geometry.seen_by_pairs(as_array(adjoint))
        ctx.geometry.over_chunks(products.curvature_times_adjoint, ctx.differences, seen, result)
        return torch.from_numpy(result), None, None


class _Hessians(torch.autograd.Function):
    """Gradient (A, F); by element hidden weights, slopes and curvatures -> flat Hessians."""

    @staticmethod
    def forward(
        ctx: Any,
        geometry: NativeGeometry,
        depths: list[int],
        differentiable: bool,
        gradient: Tensor,
        *tensors: Tensor,
    ) -> Tensor:
        keep = differentiable and any(ctx.needs_input_grad)
        elements, first = [], 0
        for index, depth in enumerate(depths):
            elements.append(_element(geometry, index, tensors[first : first + 3 * depth], keep))
            first += 3 * depth
        if keep:
            ctx.geometry, ctx.elements = geometry, elements
        derivative = as_array(gradient)
        result = np.zeros(geometry.layout.hessian_start[-1], derivative.dtype)

        def task(part: int, first: int, last: int) -> None:
            for own, kept in elements:
                room = kept[part % len(kept)]
                tangents.forward(first, last, *geometry.known, own, derivative, room, result)

        run_parts(task, geometry.parts)
        return torch.from_numpy(result)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, adjoint: Tensor) -> tuple[Tensor | None, ...]:
        geometry, elements = ctx.geometry, ctx.elements
        symmetric = _symmetric(as_array(adjoint), geometry)
        of_gradient = np.zeros_like(geometry.features)
        adjoints = [_adjoints(own, len(geometry.parts)) for own, _ in elements]

        def task(part: int, first: int, last: int) -> None:
            for (own, (room,)), totals in zip(elements, adjoints, strict=True):
                total = totals[part]
                tangents.reverse(first, last, *geometry.known, own, of_gradient, room, symmetric, total)

        run_parts(task, geometry.parts)
        columns, gradients = torch.from_numpy(geometry.layout.columns), []
        for totals in adjoints:
            widths = totals[0].widths.tolist()
            of_first, weights = (
                torch.from_numpy(np.sum(items, 0))
                for items in zip(*((total.first_layers, total.weights) for total in totals), strict=True)
            )
            first = torch.zeros(geometry.features.shape[1], widths[0], dtype=adjoint.dtype)
            # laid out as the weight is, so that autograd adds it to other gradients without strides
            gradients.append(first.index_add_(0, columns, of_first).T.contiguous())
            others = weights.split([inputs * width for inputs, width in pairwise(widths)])
            gradients += [item.view(width, -1) for item, width in zip(others, widths[1:], strict=True)]
            for item in (totals[0].slopes, totals[0].curvatures):
                gradients += torch.from_numpy(item).split(widths, 1)
        return None, None, None, torch.from_numpy(of_gradient), *gradients


def _element(
    geometry: NativeGeometry, index: int, tensors: tuple[Tensor, ...], keep: bool
) -> tuple[tangents.Element, list[np.ndarray]]:
    """Join what kernels want in one piece, with memory for tangents; all of it for each chunk with `keep`."""
    layout, row_start, depth = geometry.layout, geometry.neighbors.row_start, len(tensors) // 3
    weights, slopes, curvatures = tensors[:depth], tensors[depth : 2 * depth], tensors[2 * depth :]
    by_feature = weights[0].detach().T.contiguous()  # rows of it are gathered 2.5 times as fast as columns
    first_layers = by_feature.index_select(0, torch.from_numpy(layout.columns)).numpy()
    others = torch.cat([weights[0].new_zeros(0), *(weight.flatten() for weight in weights[1:])])
    widths = np.array([len(weight) for weight in weights])
    of_weights = np.array([weight.numel() for weight in weights])
    of_weights[0] = 0
    slots, parts = layout.chunk_slots[:, index], geometry.parts
    sizes = (row_start[slots[:, 1]] - row_start[slots[:, 0]]) * widths.sum()
    start = np.cumsum(sizes) - sizes if keep else np.zeros_like(sizes)
    lengths = [int(sizes.sum())] if keep else [int(sizes[first:last].max()) for first, last in parts]
    own = tangents.Element(
        index, widths, np.cumsum(widths) - widths, np.cumsum(of_weights) - of_weights, first_layers,
        as_array(others), as_array(torch.cat(slopes, 1)), as_array(torch.cat(curvatures, 1)), start,
    )  # fmt: skip
    return own, [np.empty(length, first_layers.dtype) for length in lengths]


def _adjoints(own: tangents.Element, parts: int) -> list[tangents.Element]:
    """Zeros for the adjoints of an element: parts have atoms of their own, but each sums up its weights."""
    atoms = own._replace(slopes=np.zeros_like(own.slopes), curvatures=np.zeros_like(own.curvatures))
    return [
        atoms._replace(first_layers=np.zeros_like(own.first_layers), weights=np.zeros_like(own.weights))
        for _ in range(parts)
    ]


def _symmetric(adjoint: Floats, geometry: NativeGeometry) -> Floats:
    """Symmetric part of each molecule's matrix."""
    result = np.empty_like(adjoint)
    for first, last in zip(geometry.layout.hessian_start, geometry.layout.hessian_start[1:], strict=False):
        size = math.isqrt(int(last - first))
        matrix = adjoint[first:last].reshape(size, size)
        np.multiply(0.5, matrix + matrix.T, out=result[first:last].reshape(size, size))
    return result


def _exercise(model: ANI, dtype: torch.dtype) -> None:
    """Run every kernel once, on a chain of atoms that has near and far neighbours."""
    number = model.architecture.numbers[0]
    coordinates = torch.tensor(
        [[0.0, 0.0, 0.0], [1.0, 0.1, 0.0], [-0.3, 1.1, 0.0], [4.5, 0.0, 0.0]], dtype=dtype
    )
    batch = Batch(torch.full((4,), number), coordinates, torch.tensor([4]))
    own = copy.deepcopy(model).to(dtype).requires_grad_()
    with torch.enable_grad():
        result = evaluate_geometry(own, build(own, batch, 2), 2, torch.ones_like(coordinates).unsqueeze(2))
        found = (result.energies, result.forces, result.hessians, result.products)
        torch.stack([item.sum() for item in found if item is not None]).sum().backward()
