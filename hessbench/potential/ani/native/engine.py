"""Energies, forces and Hessians by compiled kernels, and their exact parameter gradients."""

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hessbench.potential.ani.model import ANI
from hessbench.potential.ani.native import activations, packing, products, tangents
from hessbench.potential.ani.native import networks as kernels
from hessbench.potential.ani.native.build import NativeGeometry, build
from hessbench.potential.ani.native.layout import Floats
from hessbench.potential.ani.native.parameters import flatten, parameters_of, unflatten
from hessbench.potential.ani.native.places import Places, copy_first_layers, places_of
from hessbench.potential.ani.native.runtime import Buffer, as_array, compile_once, run_parts
from hessbench.potential.batch import Batch, Prediction

STATES = ("a", "slopes", "seconds", "thirds", "b", "y", "curvatures")
"""What is kept of the networks for the reverse pass, see `networks`."""


def evaluate_native(models: Sequence[ANI], batch: Batch, derivatives: int) -> list[Prediction]:
    """Evaluate models of one architecture on one batch, see `hessbench.potential.ani.evaluation`."""
    dtype = np.dtype(str(batch.coordinates.dtype).removeprefix("torch."))
    compile_once(dtype, lambda: _exercise(models[0], batch.coordinates.dtype))
    geometry = build(models[0], batch, derivatives)
    return [evaluate_geometry(model, geometry, derivatives) for model in models]


def evaluate_geometry(model: ANI, geometry: NativeGeometry, derivatives: int) -> Prediction:
    """Evaluate a batch whose geometry is known."""
    energies, forces, hessians = _Evaluation.apply(
        model, geometry, derivatives, torch.is_grad_enabled(), *parameters_of(model)
    )
    return Prediction(energies, forces if derivatives > 0 else None, hessians if derivatives > 1 else None)


class _Evaluation(torch.autograd.Function):
    """Parameters -> energies (M,), forces (A, 3) and flat Hessians, empty if not asked for."""

    @staticmethod
    def forward(
        ctx: Any, model: ANI, geometry: NativeGeometry, order: int, differentiable: bool, *parameters: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        keep = differentiable and any(parameter.requires_grad for parameter in parameters)
        weights, biases = flatten(model, list(parameters))
        atoms = len(geometry.features)
        places = places_of(geometry, keep)
        loan = Buffer(len(STATES) * places.state_size, weights.dtype)
        states = dict(zip(STATES, loan.array.reshape(len(STATES), -1), strict=True))
        atomic = np.empty(atoms, weights.dtype)
        gradient = np.empty((atoms if order > 0 else 0, geometry.features.shape[1]), weights.dtype)
        kind = activations.GELU if model.architecture.activation == "gelu" else activations.CELU
        first_slot = np.array(geometry.first_slots[:-1])

        def task(part: int, first: int, last: int) -> None:
            kernels.run(
                _ranges(geometry, part), order, kind, first_slot, geometry.shape, places.state_start,
                geometry.features, weights, biases, *states.values(), atomic, gradient,
            )  # fmt: skip

        run_parts(task, geometry.parts)
        layout = geometry.layout
        energies = np.bincount(layout.molecule[layout.order], atomic, len(layout.start) - 1).astype(
            atomic.dtype
        )
        forces: Floats = np.empty((0, 3), atomic.dtype)
        hessians: Floats = np.empty(0, atomic.dtype)
        if order > 0:
            slopes = np.zeros((atoms, 3), atomic.dtype)
            geometry.over_chunks(products.pull_back, gradient, slopes)
            forces = -slopes
        if order > 1:
            hessians, tangents_loan = _hessians(geometry, places, weights, states, gradient, keep)
            ctx.tangents = tangents_loan if keep else None
        if keep:
            ctx.set_materialize_grads(False)
            ctx.geometry, ctx.places, ctx.order, ctx.loan, ctx.states = geometry, places, order, loan, states
            ctx.model, ctx.parameters, ctx.weights, ctx.bias_size = model, parameters, weights, len(biases)
        return torch.from_numpy(energies), torch.from_numpy(forces), torch.from_numpy(hessians)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(
        ctx: Any,
        energies_adjoint: Tensor | None,
        forces_adjoint: Tensor | None,
        hessians_adjoint: Tensor | None,
    ) -> tuple[Tensor | None, ...]:
        geometry, places, order, states = ctx.geometry, ctx.places, ctx.order, ctx.states
        weights = ctx.weights
        layout, count = geometry.layout, len(geometry.parts)
        atoms = len(geometry.features)
        atomic = np.zeros(atoms, weights.dtype)
        if energies_adjoint is not None:
            atomic[:] = as_array(energies_adjoint)[layout.molecule[layout.order]]
        gradient = np.zeros((atoms, geometry.features.shape[1]), weights.dtype)
        if forces_adjoint is not None:
            geometry.over_chunks(products.push_forward, as_array(-forces_adjoint), gradient)
        states_loan = Buffer(2 * places.state_size, weights.dtype)
        states_adjoint = states_loan.array.reshape(2, -1)
        states_adjoint[:] = 0
        of_weights = np.zeros((count, len(weights)), weights.dtype)
        of_biases = np.zeros((count, ctx.bias_size), weights.dtype)
        if hessians_adjoint is not None:
            _reverse_hessians(ctx, weights, as_array(hessians_adjoint), gradient, states_adjoint, of_weights)
        first_slot = np.array(geometry.first_slots[:-1])
        used = order if forces_adjoint is not None or hessians_adjoint is not None else 0
        kept = [states[name] for name in STATES[:-1]]

        def task(part: int, first: int, last: int) -> None:
            kernels.run_reverse(
                _ranges(geometry, part), used, first_slot, geometry.shape, places.state_start,
                geometry.features,
                weights, *kept, atomic, gradient, *states_adjoint, of_weights[part], of_biases[part],
            )  # fmt: skip

        run_parts(task, geometry.parts)
        for part in range(1, count):
            of_weights[0] += of_weights[part]
            of_biases[0] += of_biases[part]
        gradients = unflatten(ctx.model, ctx.parameters, of_weights[0], of_biases[0])
        return None, None, None, None, *gradients


def _hessians(
    geometry: NativeGeometry,
    places: Places,
    weights: Floats,
    states: dict[str, Floats],
    gradient: Floats,
    keep: bool,
) -> tuple[Floats, Buffer]:
    """Flat Hessians, and the tangents if they are to be kept."""
    gathered = np.empty(places.first_size, weights.dtype)
    copy_first_layers(packing.gather_first, geometry, weights, places, gathered)
    loans = [Buffer(size, weights.dtype) for size in places.tangent_sizes]
    result = np.zeros(geometry.layout.hessian_start[-1], weights.dtype)

    def task(part: int, first: int, last: int) -> None:
        tangents.forward(
            first, last, keep, *geometry.known, geometry.jacobian, geometry.shape, places.first_start,
            places.state_start, places.tangent_start, states["slopes"], states["curvatures"], weights,
            gathered,
            gradient, loans[0 if keep else part].array, result,
        )  # fmt: skip

    run_parts(task, geometry.parts)
    return result, loans[0]


def _reverse_hessians(
    ctx: Any, weights: Floats, adjoint: Floats, gradient: Floats, states_adjoint: Floats, of_weights: Floats
) -> None:
    """Add what the Hessians ask of gradient, slopes, curvatures and weights."""
    geometry, places, states = ctx.geometry, ctx.places, ctx.states
    symmetric = np.empty_like(adjoint)
    tangents.symmetrize(geometry.layout.start, geometry.layout.hessian_start, adjoint, symmetric)
    loan = Buffer(len(geometry.parts) * places.first_size, weights.dtype)
    of_gathered = loan.array.reshape(len(geometry.parts), -1)
    of_gathered[:] = 0

    def task(part: int, first: int, last: int) -> None:
        tangents.reverse(
            first, last, *geometry.known, geometry.jacobian, geometry.shape, places.first_start,
            places.state_start,
            places.tangent_start, states["slopes"], states["curvatures"], weights, ctx.tangents.array,
            symmetric,
            *states_adjoint, of_weights[part], of_gathered[part], gradient,
        )  # fmt: skip

    run_parts(task, geometry.parts)
    copy_first_layers(packing.scatter_first, geometry, of_weights[0], places, of_gathered.sum(0))


def _ranges(geometry: NativeGeometry, part: int) -> np.ndarray:
    """Slots of each element that a part of the work takes, (E, 2)."""
    slots, parts = np.array(geometry.first_slots), len(geometry.parts)
    length = slots[1:] - slots[:-1]
    return np.stack([slots[:-1] + length * part // parts, slots[:-1] + length * (part + 1) // parts], 1)


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
