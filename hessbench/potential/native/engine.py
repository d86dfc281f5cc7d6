"""Exact derivatives on the CPU: compiled geometry and tangents around the networks in torch."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hessbench.potential.batch import Batch, Prediction
from hessbench.potential.model import ANI
from hessbench.potential.native import geometry as geometries
from hessbench.potential.native import products, tangents
from hessbench.potential.native.geometry import Neighbors, Tables
from hessbench.potential.native.layout import Floats, Functions, Ints, Layout, Shape, functions_of, layout_of, shape_of
from hessbench.potential.native.runtime import Buffer, compile_once, run_parts, split_chunks
from hessbench.potential.network import Network, gradient_tangents, networks_of, run
from hessbench.potential.terms import constants_of


@dataclass
class NativeGeometry:
    """All that is needed of the coordinates of a batch; one geometry serves any number of models."""

    layout: Layout
    functions: Functions
    shape: Shape
    neighbors: Neighbors
    tables: Tables
    features: Floats  # (A, F) by slot
    jacobian: Floats  # packed; empty below order 2
    parts: list[tuple[int, int]]  # chunks of each thread
    first_slots: list[int] = field(default_factory=list)  # of each element, and the end
    loans: list[Buffer] = field(default_factory=list)  # keeps the memory of the arrays

    @property
    def known(self) -> tuple[Layout, Functions, Neighbors, Tables]:
        """What every kernel asks for."""
        return self.layout, self.functions, self.neighbors, self.tables


def evaluate_native(model: ANI, batch: Batch, derivatives: int, probes: Tensor | None = None) -> Prediction:
    """See `hessbench.potential.evaluate`."""
    dtype = np.dtype(str(batch.coordinates.dtype).removeprefix("torch."))
    compile_once(dtype, lambda: _exercise(model, batch.coordinates.dtype))
    order = 2 if derivatives > 1 else 1 if derivatives or probes is not None else 0
    return evaluate_geometry(networks_of(model), build(model, batch, order), derivatives, probes)


def build(model: ANI, batch: Batch, order: int) -> NativeGeometry:
    """Find neighbours and evaluate features and tables; in order 2 also the packed Jacobian."""
    architecture = model.architecture
    elements = len(architecture.elements)
    element = model.element_indices(batch.numbers).numpy()
    layout = layout_of(element, batch.counts.numpy(), elements)
    functions = functions_of(architecture, constants_of(model))
    coordinates = np.ascontiguousarray(batch.coordinates.detach().numpy())
    neighbors = Neighbors(*geometries.find_neighbors(layout, functions, coordinates))
    pairs, _, triples, packed = neighbors.sizes.tolist()
    radial, shells, angles = len(functions.radial_shifts), len(functions.angular_shifts), len(functions.cosines)
    shapes = [
        (pairs,), (pairs, 3), (pairs, 2, radial), (pairs, 3), (triples,), (triples, 3, shells), (triples, 3, angles),
        (len(element), architecture.features), (packed if order > 1 else 0,),
    ]  # fmt: skip
    sizes = [int(np.prod(shape)) for shape in shapes]
    loan = Buffer(sum(sizes), coordinates.dtype)
    ends = np.cumsum(sizes)
    arrays = [
        loan.array[end - size : end].reshape(shape) for shape, size, end in zip(shapes, sizes, ends, strict=True)
    ]
    tables, features, jacobian = Tables(*arrays[:7]), arrays[7], arrays[8]
    work = np.array([0] * layout.chunks)
    for index in range(elements):
        slots = layout.chunk_slots[:, index]
        work += neighbors.row_start[slots[:, 1]] - neighbors.row_start[slots[:, 0]] + 1
    parts = split_chunks(work, min(torch.get_num_threads(), layout.chunks))

    def fill(part: int, first: int, last: int) -> None:
        geometries.fill_tables(
            first, last, order, layout, functions, neighbors, coordinates, tables, features, jacobian
        )

    run_parts(fill, parts)
    first_slots = [*layout.chunk_slots[0, :, 0].tolist(), len(element)]
    return NativeGeometry(
        layout, functions, shape_of(architecture), neighbors, tables, features, jacobian, parts, first_slots, [loan]
    )


def evaluate_geometry(
    networks: list[Network], geometry: NativeGeometry, derivatives: int, probes: Tensor | None = None
) -> Prediction:
    """Evaluate a batch whose geometry is known; `networks` are parameters by element."""
    order = 2 if derivatives > 1 or probes is not None else derivatives
    features = torch.from_numpy(geometry.features)
    states = [
        run(network, features[first:last], order)
        for network, first, last in zip(networks, geometry.first_slots, geometry.first_slots[1:], strict=False)
    ]
    molecule = torch.from_numpy(geometry.layout.molecule[geometry.layout.order])
    energies = features.new_zeros(len(geometry.layout.start) - 1)
    energies = energies.index_add(0, molecule, torch.cat([state.energies for state in states]))
    if order == 0:
        return Prediction(energies)
    gradient = torch.cat([state.gradient for state in states if state.gradient is not None])
    forces = -_PullBack.apply(gradient.unsqueeze(1), geometry).squeeze(2) if derivatives > 0 else None
    hessians = products = None
    if derivatives > 1:
        slopes = torch.cat([torch.cat(state.slopes, 1).flatten() for state in states])
        curvatures = torch.cat([torch.cat(state.curvatures, 1).flatten() for state in states])
        weights = torch.cat([weight.flatten() for network in networks for weight in network.weights[:-1]])
        hessians = _Hessians.apply(gradient, slopes, curvatures, weights, geometry)
    if probes is not None:
        directions = torch.from_numpy(_push_forward(probes, geometry))
        turned = [
            gradient_tangents(network, state, directions[first:last])
            for network, state, first, last in zip(
                networks, states, geometry.first_slots, geometry.first_slots[1:], strict=False
            )
        ]
        products = _PullBack.apply(torch.cat(turned), geometry) + _Curvature.apply(gradient, probes, geometry)
    return Prediction(energies, forces, hessians, products)


class _PullBack(torch.autograd.Function):
    """J^T g: gradient (A, k, F) by slot -> (A, 3, k) by atom."""

    @staticmethod
    def forward(ctx: Any, gradient: Tensor, geometry: NativeGeometry) -> Tensor:
        ctx.geometry = geometry
        values = _array(gradient)
        result = np.zeros((len(values), 3, values.shape[1]), values.dtype)
        _over_chunks(products.pull_back, geometry, values, result)
        return torch.from_numpy(result)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, adjoint: Tensor) -> tuple[Tensor, None]:
        return torch.from_numpy(_push_forward(adjoint, ctx.geometry)), None


class _Curvature(torch.autograd.Function):
    """(g . K) v: gradient (A, F) by slot and vectors (A, 3, k) by atom -> (A, 3, k)."""

    @staticmethod
    def forward(ctx: Any, gradient: Tensor, vectors: Tensor, geometry: NativeGeometry) -> Tensor:
        ctx.geometry = geometry
        ctx.save_for_backward(gradient, vectors)
        values = _array(vectors)
        result = np.zeros_like(values)
        _over_chunks(products.curvature_times, geometry, _array(gradient), values, result)
        return torch.from_numpy(result)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, adjoint: Tensor) -> tuple[Tensor, None, None]:
        gradient, vectors = ctx.saved_tensors
        result = np.zeros(gradient.shape, _array(gradient).dtype)
        _over_chunks(products.curvature_times_adjoint, ctx.geometry, _array(vectors), _array(adjoint), result)
        return torch.from_numpy(result), None, None


class _Hessians(torch.autograd.Function):
    """Gradient (A, F), slopes, curvatures and weights, all but the first flat -> flat Hessians."""

    @staticmethod
    def forward(
        ctx: Any, gradient: Tensor, slopes: Tensor, curvatures: Tensor, weights: Tensor, geometry: NativeGeometry
    ) -> Tensor:
        keep = any(ctx.needs_input_grad)
        arrays = [_array(item) for item in (gradient, slopes, curvatures, weights)]
        places = _places(geometry, keep)
        gathered = np.empty(places.first_size, arrays[0].dtype)
        _first_layers(tangents.gather_first, geometry, arrays[3], places, gathered)
        loans = [Buffer(size, arrays[0].dtype) for size in places.tangent_sizes]
        result = np.zeros(geometry.layout.hessian_start[-1], arrays[0].dtype)

        def task(part: int, first: int, last: int) -> None:
            tangents.forward(
                first, last, keep, *geometry.known, geometry.jacobian, _kernel_shape(geometry.shape),
                places.first_start, places.state_start, places.tangent_start, *arrays[1:], gathered, arrays[0],
                loans[0 if keep else part].array, result,
            )  # fmt: skip

        run_parts(task, geometry.parts)
        if keep:
            ctx.geometry, ctx.places, ctx.loan = geometry, places, loans[0]
            ctx.save_for_backward(slopes, curvatures, weights)
        return torch.from_numpy(result)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, adjoint: Tensor) -> tuple[Tensor | None, ...]:
        geometry, places = ctx.geometry, ctx.places
        slopes, curvatures, weights = (_array(item) for item in ctx.saved_tensors)
        symmetric = tangents.symmetrize(geometry.layout, _array(adjoint))
        results = [np.zeros_like(geometry.features), np.zeros_like(slopes), np.zeros_like(curvatures)]
        count = len(geometry.parts)
        of_weights = np.zeros((count, len(weights)), slopes.dtype)
        of_gathered = np.zeros((count, places.first_size), slopes.dtype)

        def task(part: int, first: int, last: int) -> None:
            tangents.reverse(
                first, last, *geometry.known, geometry.jacobian, _kernel_shape(geometry.shape),
                places.first_start, places.state_start, places.tangent_start, slopes, curvatures, weights,
                ctx.loan.array, symmetric, results[1], results[2], of_weights[part], of_gathered[part], results[0],
            )  # fmt: skip

        run_parts(task, geometry.parts)
        for part in range(1, count):
            of_weights[0] += of_weights[part]
            of_gathered[0] += of_gathered[part]
        _first_layers(tangents.scatter_first, geometry, of_weights[0], places, of_gathered[0])
        return (*(torch.from_numpy(item) for item in (*results, of_weights[0])), None)


@dataclass(frozen=True)
class _Places:
    """Where kernels find weights, states and tangents in flat arrays."""

    first_start: Ints  # (sets, E, E) packed first layers
    first_size: int
    state_start: Ints  # (E,)
    tangent_start: Ints  # (C, E)
    tangent_sizes: list[int]  # one buffer, or without keeping one a thread


def _places(geometry: NativeGeometry, keep: bool) -> _Places:
    layout, shape, functions = geometry.layout, geometry.shape, geometry.functions
    elements = layout.chunk_slots.shape[1]
    member = layout.set_elements >= 0
    angular = len(functions.angular_shifts) * len(functions.cosines)
    columns = len(functions.radial_shifts) + angular * layout.set_size
    sizes = member[:, :, None] * member[:, None, :] * shape.width[None, :, :1] * columns[:, None, None]
    ends = np.cumsum(sizes.ravel())
    atoms = np.diff(geometry.first_slots)
    states = np.concatenate([[0], np.cumsum(atoms * shape.total)])
    rows = geometry.neighbors.row_start[layout.chunk_slots]
    tangent = (rows[:, :, 1] - rows[:, :, 0]) * shape.total
    tangent_ends = np.cumsum(tangent.ravel())
    if keep:
        wanted = [int(tangent_ends[-1])]
    else:
        wanted = [int(tangent[first:last].max()) for first, last in geometry.parts]
    return _Places(
        (ends - sizes.ravel()).reshape(sizes.shape),
        int(ends[-1]),
        states[:elements],
        (tangent_ends - tangent.ravel()).reshape(tangent.shape),
        wanted,
    )


def _first_layers(
    copy: Callable[..., None], geometry: NativeGeometry, weights: Floats, places: _Places, gathered: Floats
) -> None:
    features = geometry.features.shape[1]
    shape = _kernel_shape(geometry.shape)
    copy(geometry.layout, geometry.functions, shape, features, weights, places.first_start, gathered)


def _kernel_shape(shape: Shape) -> Shape:
    return shape


def _push_forward(vectors: Tensor, geometry: NativeGeometry) -> Floats:
    """J v: vectors (A, 3, k) by atom -> (A, k, F) by slot."""
    values = _array(vectors)
    atoms, features = geometry.features.shape
    result = np.zeros((atoms, values.shape[2], features), values.dtype)
    _over_chunks(products.push_forward, geometry, values, result)
    return result


def _over_chunks(kernel: Callable[..., None], geometry: NativeGeometry, *arrays: Floats) -> None:
    run_parts(lambda part, first, last: kernel(first, last, *geometry.known, *arrays), geometry.parts)


def _array(tensor: Tensor) -> Floats:
    return np.ascontiguousarray(tensor.detach().numpy())


def _exercise(model: ANI, dtype: torch.dtype) -> None:
    """Run every kernel once, on a chain of atoms that has near and far neighbours."""
    number = model.architecture.numbers[0]
    coordinates = torch.tensor([[0.0, 0.0, 0.0], [1.0, 0.1, 0.0], [-0.3, 1.1, 0.0], [4.5, 0.0, 0.0]], dtype=dtype)
    batch = Batch(torch.full((4,), number), coordinates, torch.tensor([4]))
    networks = [
        Network(
            [weight.detach().to(dtype).requires_grad_() for weight in network.weights],
            [None if bias is None else bias.detach().to(dtype) for bias in network.biases],
            network.activation,
        )
        for network in networks_of(model)
    ]
    with torch.enable_grad():
        result = evaluate_geometry(networks, build(model, batch, 2), 2, torch.ones(4, 3, 1, dtype=dtype))
        assert result.forces is not None
        assert result.hessians is not None
        assert result.products is not None
        (result.energies.sum() + result.forces.sum() + result.hessians.sum() + result.products.sum()).backward()
