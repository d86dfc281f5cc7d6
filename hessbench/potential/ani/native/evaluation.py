"""Energies, forces and Hessians: compiled kernels around the networks in torch.

Autograd differentiates the networks (`hessbench.potential.ani.network`); what is linear in their gradient,
slopes and curvatures has its reverse pass in kernels.
"""

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hessbench.potential.ani.model import ANI
from hessbench.potential.ani.native import forces, tangents
from hessbench.potential.ani.native.build import NativeGeometry, build
from hessbench.potential.ani.native.layout import Floats, Ints
from hessbench.potential.ani.native.runtime import Buffer, as_array, compile_once, run_parts
from hessbench.potential.ani.network import networks_of, run
from hessbench.potential.batch import Batch, Prediction


def evaluate_native(models: Sequence[ANI], batch: Batch, derivatives: int) -> list[Prediction]:
    """Evaluate models of one architecture on one batch, see `hessbench.potential.ani.evaluation`."""
    dtype = np.dtype(str(batch.coordinates.dtype).removeprefix("torch."))
    compile_once(dtype, lambda: _exercise(models[0], batch.coordinates.dtype))
    geometry = build(models[0], batch, derivatives)
    return [evaluate_geometry(model, geometry, derivatives) for model in models]


def evaluate_geometry(model: ANI, geometry: NativeGeometry, derivatives: int) -> Prediction:
    """Evaluate a batch whose geometry is known."""
    features, networks = torch.from_numpy(geometry.features), networks_of(model)
    states = [
        run(network, features[first:last], derivatives)
        for network, (first, last) in zip(networks, geometry.slots, strict=True)
    ]
    molecule = torch.from_numpy(geometry.layout.molecule[geometry.layout.order])
    atomic = torch.cat([state.energies for state in states])
    energies = atomic.new_zeros(len(geometry.layout.start) - 1).index_add(0, molecule, atomic)
    if derivatives == 0:
        return Prediction(energies)
    gradient = torch.cat([state.gradient for state in states if state.gradient is not None])
    of_energy = _Forces.apply(gradient, geometry)
    if derivatives == 1:
        return Prediction(energies, of_energy)
    tensors = [
        tensor
        for network, state in zip(networks, states, strict=True)
        for tensor in (*network.weights[:-1], *state.slopes, *state.curvatures)
    ]
    depths = [len(state.slopes) for state in states]
    return Prediction(
        energies, of_energy, _Hessians.apply(geometry, depths, torch.is_grad_enabled(), gradient, *tensors)
    )


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
        result = np.zeros_like(ctx.geometry.features)
        ctx.geometry.over_chunks(forces.push_forward, as_array(-adjoint), result)
        return torch.from_numpy(result), None


@dataclass
class _Element:
    """One element's networks and states as the kernels of the tangents want them, see `tangents.forward`."""

    index: int
    widths: Ints
    first_layers: Floats
    weights: Floats
    slopes: Floats
    curvatures: Floats
    tangent_start: Ints
    tangents: list[Floats]  # of each part; all the same if kept
    loan: Buffer


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
            own = tensors[first : first + 3 * depth]
            elements.append(_element(geometry, index, depth, own, keep))
            first += 3 * depth
        if keep:
            ctx.geometry, ctx.elements = geometry, elements
        derivative = as_array(gradient)
        result = np.zeros(geometry.layout.hessian_start[-1], derivative.dtype)

        def task(part: int, first: int, last: int) -> None:
            for own in elements:
                tangents.forward(
                    first, last, own.index, *geometry.known, derivative,
                    own.widths, own.first_layers, own.weights, own.slopes, own.curvatures,
                    own.tangent_start, own.tangents[part], result,
                )  # fmt: skip

        run_parts(task, geometry.parts)
        return torch.from_numpy(result)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, adjoint: Tensor) -> tuple[Tensor | None, ...]:
        geometry, elements = ctx.geometry, ctx.elements
        symmetric = _symmetric(as_array(adjoint), geometry)
        of_gradient = np.zeros_like(geometry.features)
        parts, real = len(geometry.parts), symmetric.dtype
        of_first = [np.zeros((parts, *own.first_layers.shape), real) for own in elements]
        of_weights = [np.zeros((parts, len(own.weights)), real) for own in elements]
        of_slopes = [np.zeros_like(own.slopes) for own in elements]
        of_curvatures = [np.zeros_like(own.curvatures) for own in elements]

        def task(part: int, first: int, last: int) -> None:
            for own, layers, weights, slopes, curvatures in zip(
                elements, of_first, of_weights, of_slopes, of_curvatures, strict=True
            ):
                tangents.reverse(
                    first, last, own.index, *geometry.known, of_gradient,
                    own.widths, layers[part], own.weights, own.slopes, own.curvatures,
                    own.tangent_start, own.tangents[part], symmetric, weights[part], slopes, curvatures,
                )  # fmt: skip

        run_parts(task, geometry.parts)
        columns, gradients = torch.from_numpy(geometry.layout.columns), []
        for index, own in enumerate(elements):
            first = torch.zeros(geometry.features.shape[1], int(own.widths[0]), dtype=adjoint.dtype)
            first.index_add_(0, columns, torch.from_numpy(of_first[index].sum(0)))
            others = of_weights[index].sum(0)
            gradients += [first.T, *_split(others, own.widths[1:], own.widths[:-1])]
            atoms = np.full_like(own.widths, geometry.slots[own.index][1] - geometry.slots[own.index][0])
            gradients += _split(of_slopes[index], atoms, own.widths)
            gradients += _split(of_curvatures[index], atoms, own.widths)
        return None, None, None, torch.from_numpy(of_gradient), *gradients


def _element(
    geometry: NativeGeometry, index: int, depth: int, tensors: Sequence[Tensor], keep: bool
) -> _Element:
    """Join what kernels want in one piece; with `keep` every chunk has a place for its own tangents."""
    layout, row_start = geometry.layout, geometry.neighbors.row_start
    weights, slopes, curvatures = tensors[:depth], tensors[depth : 2 * depth], tensors[2 * depth :]
    widths = np.array([len(weight) for weight in weights])
    first_layers = weights[0].detach().T.index_select(0, torch.from_numpy(layout.columns)).numpy()
    slots, dtype, parts = layout.chunk_slots[:, index], first_layers.dtype, geometry.parts
    sizes = (row_start[slots[:, 1]] - row_start[slots[:, 0]]) * widths.sum()
    start = np.cumsum(sizes) - sizes if keep else np.zeros_like(sizes)
    lengths = [int(sizes.sum())] if keep else [int(sizes[first:last].max()) for first, last in parts]
    loan = Buffer(dtype, *((length,) for length in lengths))
    return _Element(
        index, widths, first_layers, _join(weights[1:], dtype), _join(slopes, dtype),
        _join(curvatures, dtype), start, loan.arrays * len(parts) if keep else loan.arrays, loan,
    )  # fmt: skip


def _join(tensors: Sequence[Tensor], dtype: np.dtype) -> Floats:
    return np.concatenate([np.zeros(0, dtype), *(as_array(tensor).ravel() for tensor in tensors)])


def _split(values: Floats, rows: Ints, columns: Ints) -> list[Tensor]:
    """Adjoint of `_join`, for matrices of these sizes."""
    parts = np.split(values, np.cumsum(rows * columns)[:-1]) if len(rows) else []
    return [
        torch.from_numpy(part.reshape(shape))
        for part, *shape in zip(parts, rows.tolist(), columns.tolist(), strict=True)
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
        result = evaluate_geometry(own, build(own, batch, 2), 2)
        assert result.forces is not None
        assert result.hessians is not None
        (result.energies.sum() + result.forces.sum() + result.hessians.sum()).backward()
