"""The geometry of a batch as the kernels want it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from hessbench.potential.ani.model import ANI
from hessbench.potential.ani.native.functions import Functions, fill_functions, functions_of
from hessbench.potential.ani.native.geometry import Tables, fill_features
from hessbench.potential.ani.native.layout import Floats, Layout, layout_of
from hessbench.potential.ani.native.neighbors import NOT_PACKED, Neighbors, find_neighbors, pack
from hessbench.potential.ani.native.runtime import run_parts, split_chunks
from hessbench.potential.ani.terms import constants_of
from hessbench.potential.batch import Batch


@dataclass
class NativeGeometry:
    """All that is needed of the coordinates of a batch; one geometry serves any number of models."""

    layout: Layout
    neighbors: Neighbors
    tables: Tables
    features: Floats  # (A, F) by slot
    parts: list[tuple[int, int]]  # chunks of each thread
    slots: list[tuple[int, int]]  # first and last + 1 of each element

    @property
    def known(self) -> tuple[Layout, Neighbors, Tables]:
        """What every kernel asks for."""
        return self.layout, self.neighbors, self.tables

    def seen_by_pairs(self, vectors: Floats) -> Floats:
        """Vectors (A, 3, ...) of atoms as pairs see them: the neighbour's minus the atom's, (P, 3, ...)."""
        centers = np.repeat(self.layout.order, np.diff(self.neighbors.pair_start))
        differences: Floats = vectors[self.neighbors.pair_atom] - vectors[centers]
        return differences

    def over_chunks(self, kernel: Callable[..., None], *arguments: Any) -> None:
        """Run kernel(first, last, layout, neighbors, tables, arguments) on all threads."""
        run_parts(lambda part, first, last: kernel(first, last, *self.known, *arguments), self.parts)


def build(model: ANI, batch: Batch, order: int, *, products: bool = False) -> NativeGeometry:
    """Find neighbours and evaluate features and tables; in order 2 also the packed Jacobian.

    Derivatives that neither `order` nor `products` of Hessians with vectors need are not computed.
    """
    architecture = model.architecture
    layout = layout_of(architecture, batch.numbers.numpy(), batch.counts.numpy())
    coordinates = np.ascontiguousarray(batch.coordinates.detach().numpy())
    neighbors = Neighbors(*find_neighbors(layout, coordinates, order > 1))
    *packing, length = pack(layout, neighbors) if order > 1 else NOT_PACKED
    highest = 2 if products else order
    functions = functions_of(constants_of(architecture.symmetry_functions), coordinates.dtype)
    rooms = _rooms(functions, neighbors, coordinates.dtype, highest)
    tables = Tables(*rooms, np.empty(length, coordinates.dtype), *packing)
    features = np.empty((len(layout.order), architecture.features), coordinates.dtype)
    slots = layout.chunk_slots
    pairs = (neighbors.pair_start[slots[:, :, 1]] - neighbors.pair_start[slots[:, :, 0]]).sum(1)
    geometry = NativeGeometry(
        layout, neighbors, tables, features,
        split_chunks(pairs + 1, min(torch.get_num_threads(), len(layout.chunk_set))),
        [(int(first), int(last)) for first, last in zip(slots[0, :, 0], slots[-1, :, 1], strict=True)],
    )  # fmt: skip
    geometry.over_chunks(fill_functions, functions, highest)
    geometry.over_chunks(fill_features, features, order)
    return geometry


def _rooms(functions: Functions, neighbors: Neighbors, dtype: np.dtype, order: int) -> list[np.ndarray]:
    """Make room for the functions of all pairs and triples, as they follow in `Tables`."""
    pairs, triples = len(neighbors.pair_atom), int(neighbors.triple_start[-1])
    shapes = [
        (pairs,), (pairs, 3), (order + 1, pairs, len(functions.radial_shifts)), (3, pairs), (triples, 3),
        (triples,), (triples if order else 0, 2, 3), (order + 1, triples, len(functions.angular_shifts)),
        (order + 1, triples, len(functions.cosines)),
    ]  # fmt: skip
    types = [dtype, dtype, dtype, dtype, np.dtype(np.int64), *[dtype] * 4]
    return [np.empty(shape, kind) for shape, kind in zip(shapes, types, strict=True)]
