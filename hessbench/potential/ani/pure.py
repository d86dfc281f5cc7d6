"""Exact derivatives in pure torch: the readable statement of the method, on any device.

Parameter gradients come from one ordinary reverse pass through what is written here.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from hessbench.potential.ani.curvature import Blocks, curvature_blocks
from hessbench.potential.ani.geometry import (
    Geometry,
    adjoint_features,
    build,
    directional_features,
)
from hessbench.potential.ani.layer_products import layer_products
from hessbench.potential.ani.model import ANI
from hessbench.potential.ani.network import Network, NetworkState, gradient_tangents, networks_of, run
from hessbench.potential.ani.rows import ElementRows, build_rows
from hessbench.potential.batch import Batch, Prediction

CHUNK_ATOMS = 208
"""Atoms evaluated at a time on a CPU, which bounds memory; smaller chunks pay more for calls of torch."""


def evaluate_pure(
    models: Sequence[ANI], batch: Batch, derivatives: int, probes: Tensor | None = None
) -> list[Prediction]:
    """Evaluate models of one architecture on one batch, see `hessbench.potential.ani.evaluation`."""
    networks = [networks_of(model) for model in models]
    parts: list[list[Prediction]] = [[] for _ in models]
    for first, last in _chunks(batch):
        start, stop = int(batch.offsets[first]), int(batch.offsets[last])
        part = batch.slice(first, last)
        geometry = build(models[0], part)
        vectors = None if probes is None else probes[start:stop]
        for results, parameters in zip(parts, networks, strict=True):
            results.append(evaluate_chunk(parameters, geometry, part, derivatives, vectors))
    return [_join(results) for results in parts]


def _join(parts: list[Prediction]) -> Prediction:
    def joined(values: list[Tensor | None]) -> Tensor | None:
        present = [value for value in values if value is not None]
        return torch.cat(present) if present else None

    return Prediction(
        torch.cat([part.energies for part in parts]),
        joined([part.forces for part in parts]),
        joined([part.hessians for part in parts]),
        joined([part.products for part in parts]),
    )


def evaluate_chunk(
    networks: list[Network], geometry: Geometry, batch: Batch, derivatives: int, probes: Tensor | None = None
) -> Prediction:
    """Evaluate molecules whose geometry is known; `networks` are parameters by element."""
    order = 2 if probes is not None else derivatives
    states = []
    energies = geometry.features.new_zeros(len(batch))
    gradient = torch.zeros_like(geometry.features)
    for network, index in zip(networks, geometry.atoms, strict=True):
        state = run(network, geometry.features[index], order)
        energies = energies.index_add(0, batch.molecule[index], state.energies)
        if state.gradient is not None:
            gradient = gradient.index_copy(0, index, state.gradient)
        states.append(state)
    forces = -adjoint_features(geometry, gradient) if derivatives > 0 else None
    blocks = curvature_blocks(geometry, gradient) if order > 1 else None
    hessians = products = None
    if derivatives > 1 and blocks is not None:
        hessians = _hessians(networks, states, geometry, blocks, batch)
    if probes is not None and blocks is not None:
        tangents = directional_features(geometry, probes)
        turned = torch.zeros_like(tangents)
        for network, state, index in zip(networks, states, geometry.atoms, strict=True):
            turned = turned.index_copy(0, index, gradient_tangents(network, state, tangents[index]))
        columns = [adjoint_features(geometry, column) for column in turned.unbind(1)]
        products = torch.stack(columns, 2) + _apply_blocks(geometry, blocks, probes)
    return Prediction(energies, forces, hessians, products)


def _hessians(
    networks: list[Network], states: list[NetworkState], geometry: Geometry, blocks: Blocks, batch: Batch
) -> Tensor:
    """H = sum over atoms of sum_l T_l' D_l T_l + g . K, flat and ragged."""
    size = int(batch.counts.max())
    first = batch.there(batch.offsets)[batch.molecule]
    local = torch.arange(len(first), device=first.device) - first
    total = cartesian_blocks(geometry, blocks, local, batch.molecule, len(batch), size)
    for network, state, rows in zip(networks, states, build_rows(geometry, local, size), strict=True):
        if rows is not None:
            of_atoms = _tangent_products(network, state, rows)
            of_atoms = rows.expansion.transpose(1, 2) @ (of_atoms @ rows.expansion)
            total = total.index_add(0, batch.molecule[rows.atoms], of_atoms)
    return total.flatten() if bool((batch.counts == size).all()) else _ragged(total, batch)


def _ragged(padded: Tensor, batch: Batch) -> Tensor:
    """Take the molecules' own elements out of padded Hessians (M, 3 N, 3 N), flat; waits for no GPU."""
    device, elements = padded.device, int(batch.hessian_offsets[-1])
    sizes = batch.there(3 * batch.counts)
    molecule = torch.repeat_interleave(
        torch.arange(len(batch), device=device), sizes**2, output_size=elements
    )
    place = torch.arange(elements, device=device) - batch.there(batch.hessian_offsets)[molecule]
    row, column = place // sizes[molecule], place % sizes[molecule]
    width = padded.shape[1]
    return padded.flatten().index_select(0, (molecule * width + row) * width + column)


def _tangent_products(network: Network, state: NetworkState, rows: ElementRows) -> Tensor:
    """Sum over layers of T_l diag(D_l) T_l', (n, height, height), T_l = dz_l/dx in rows."""
    packed = torch.cat(
        [block.values @ network.first_layer(block.columns, block.key) for block in rows.blocks]
    )
    tangents = packed.new_zeros(len(rows.atoms) * rows.height, packed.shape[1])
    tangents = tangents.index_copy(0, rows.position, packed).unflatten(0, (-1, rows.height))
    return layer_products(tangents, state.slopes, state.curvatures, network.weights[1:-1])


def cartesian_blocks(
    geometry: Geometry, blocks: Blocks, local: Tensor, molecule: Tensor, molecules: int, size: int
) -> Tensor:
    """Add relative blocks up to padded Hessians (M, 3 N, 3 N); centre blocks follow from translation."""
    pairs, triples = geometry.pairs, geometry.triples
    center, neighbor = pairs.center, pairs.neighbor
    first, second, middle = neighbor[triples.first], neighbor[triples.second], triples.center
    mixed = blocks.mixed
    terms = [  # half of the symmetric whole: its transpose is added below
        (neighbor, neighbor, 0.5 * blocks.pairs),
        (center, center, 0.5 * blocks.pairs),
        (neighbor, center, -blocks.pairs),
        (first, first, 0.5 * blocks.first),
        (second, second, 0.5 * blocks.second),
        (first, second, mixed),
        (first, middle, -(blocks.first + mixed)),
        (second, middle, -(blocks.second + mixed.transpose(1, 2))),
        (middle, middle, 0.5 * (blocks.first + blocks.second) + mixed),
    ]
    total = blocks.pairs.new_zeros(molecules * size * size, 9)
    for row, column, values in terms:
        index = (molecule[row] * size + local[row]) * size + local[column]
        total = total.index_add(0, index, values.flatten(1))
    half = total.view(molecules, size, size, 3, 3).transpose(2, 3).reshape(molecules, 3 * size, 3 * size)
    return half + half.transpose(1, 2)


def _apply_blocks(geometry: Geometry, blocks: Blocks, vectors: Tensor) -> Tensor:
    """(g . K) times vectors (A, 3, k)."""
    pairs, triples = geometry.pairs, geometry.triples
    displacement = vectors[pairs.neighbor] - vectors[pairs.center]
    d1, d2 = displacement[triples.first], displacement[triples.second]
    on_neighbor = blocks.pairs @ displacement
    on_neighbor = on_neighbor.index_add(0, triples.first, blocks.first @ d1 + blocks.mixed @ d2)
    on_neighbor = on_neighbor.index_add(
        0, triples.second, blocks.second @ d2 + blocks.mixed.transpose(1, 2) @ d1
    )
    result = torch.zeros_like(vectors).index_add(0, pairs.neighbor, on_neighbor)
    return result.index_add(0, pairs.center, -on_neighbor)


def _chunks(batch: Batch) -> list[tuple[int, int]]:
    """Cut a batch on a CPU into runs of molecules; a GPU wants all at once."""
    if batch.coordinates.device.type != "cpu":
        return [(0, len(batch))]
    chunks, first, atoms = [], 0, 0
    for index, count in enumerate(batch.counts.tolist()):
        if atoms + count > CHUNK_ATOMS and index > first:
            chunks.append((first, index))
            first, atoms = index, 0
        atoms += count
    return [*chunks, (first, len(batch))]
