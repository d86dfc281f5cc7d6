"""The geometry of a batch as the kernels want it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from hessbench.potential.ani.architecture import Architecture
from hessbench.potential.ani.model import ANI
from hessbench.potential.ani.native.geometry import Tables, fill_features
from hessbench.potential.ani.native.layout import Floats, Layout, layout_of
from hessbench.potential.ani.native.neighbors import NOT_PACKED, Neighbors, find_neighbors, find_triples, pack
from hessbench.potential.ani.native.runtime import run_parts, split_chunks
from hessbench.potential.ani.terms import (
    angle_terms,
    constants_of,
    cutoff_terms,
    radial_terms,
    shell_terms,
)
from hessbench.potential.batch import Batch
from hessbench.system.denormals import flushed_denormals


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
    element = model.element_indices(batch.numbers).numpy()
    layout = layout_of(architecture, element, batch.counts.numpy())
    coordinates = np.ascontiguousarray(batch.coordinates.detach().numpy())
    neighbors = Neighbors(*find_neighbors(layout, coordinates))
    *packing, length = pack(layout, neighbors) if order > 1 else NOT_PACKED
    highest = 2 if products else order
    values = _symmetry_functions(architecture, layout, neighbors, batch.coordinates.dtype, highest)
    tables = Tables(*values, np.empty(length, coordinates.dtype), *packing)
    features = np.empty((len(element), architecture.features), coordinates.dtype)
    slots = layout.chunk_slots
    rows = (neighbors.row_start[slots[:, :, 1]] - neighbors.row_start[slots[:, :, 0]]).sum(1)
    geometry = NativeGeometry(
        layout, neighbors, tables, features,
        split_chunks(rows + 1, min(torch.get_num_threads(), len(layout.chunk_set))),
        [(int(first), int(last)) for first, last in zip(slots[0, :, 0], slots[-1, :, 1], strict=True)],
    )  # fmt: skip
    geometry.over_chunks(fill_features, features, order)
    return geometry


def _symmetry_functions(
    architecture: Architecture, layout: Layout, neighbors: Neighbors, dtype: torch.dtype, order: int
) -> list[np.ndarray]:
    """Closed forms of all pairs and triples, derivatives up to `order`; as they follow in `Tables`."""
    constants, vectors = constants_of(architecture.symmetry_functions), torch.from_numpy(neighbors.vectors)
    distances = torch.linalg.vector_norm(vectors, dim=1)
    r, u = distances.to(dtype), (vectors / distances.unsqueeze(1)).to(dtype)
    triples = find_triples(layout, neighbors)
    first, second = torch.from_numpy(triples[:, 0]), torch.from_numpy(triples[:, 1])
    u1, u2 = u[first], u[second]
    c = (u1 * u2).sum(1)
    along = c.unsqueeze(1)
    turning = [(u2 - along * u1) / r[first].unsqueeze(1), (u1 - along * u2) / r[second].unsqueeze(1)]
    with flushed_denormals():
        radial = torch.stack(radial_terms(constants, r, order))
        cutoffs = torch.stack(cutoff_terms(constants.cutoff, constants.angular_cutoff, r))
        shells = shell_terms(constants, r[first], r[second], order)
        angles = angle_terms(constants, c, order)
    tables = (table.numpy() for table in (c, torch.stack(turning, 1), shells, angles))
    return [r.numpy(), u.numpy(), radial.numpy(), cutoffs.numpy(), triples, *tables]
