"""The geometry of a batch as the kernels want it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from hessbench.potential.ani.architecture import Architecture
from hessbench.potential.ani.model import ANI
from hessbench.potential.ani.native.geometry import Tables, fill_features
from hessbench.potential.ani.native.layout import Floats, Functions, Layout, functions_of, layout_of
from hessbench.potential.ani.native.neighbors import NOT_PACKED, Neighbors, find_neighbors, find_triples, pack
from hessbench.potential.ani.native.runtime import Buffer, run_parts, split_chunks
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
    functions: Functions
    neighbors: Neighbors
    tables: Tables
    features: Floats  # (A, F) by slot
    parts: list[tuple[int, int]]  # chunks of each thread
    slots: list[tuple[int, int]]  # first and last + 1 of each element
    loan: Buffer  # keeps the memory of the tables

    @property
    def known(self) -> tuple[Layout, Functions, Neighbors, Tables]:
        """What every kernel asks for."""
        return self.layout, self.functions, self.neighbors, self.tables

    def over_chunks(self, kernel: Callable[..., None], *arrays: Floats) -> None:
        """Run kernel(first, last, layout, functions, neighbors, tables, arrays) on all threads."""
        run_parts(lambda part, first, last: kernel(first, last, *self.known, *arrays), self.parts)


def build(model: ANI, batch: Batch, order: int) -> NativeGeometry:
    """Find neighbours and evaluate features and tables; in order 2 also the packed Jacobian."""
    architecture = model.architecture
    element = model.element_indices(batch.numbers).numpy()
    layout = layout_of(architecture, element, batch.counts.numpy())
    functions = functions_of(architecture)
    coordinates = np.ascontiguousarray(batch.coordinates.detach().numpy())
    neighbors = Neighbors(*find_neighbors(layout, functions, coordinates))
    packing = pack(layout, functions, neighbors) if order > 1 else NOT_PACKED
    displacements = int(neighbors.displacement_start[-1]) if order > 1 else 0
    loan = Buffer(coordinates.dtype, (packing[-1],), (displacements,))
    values = _symmetry_functions(architecture, neighbors, batch.coordinates.dtype)
    tables = Tables(*values, *loan.arrays, *packing[:-1])
    features = np.empty((len(element), architecture.features), coordinates.dtype)
    slots = layout.chunk_slots
    rows = (neighbors.row_start[slots[:, :, 1]] - neighbors.row_start[slots[:, :, 0]]).sum(1)
    geometry = NativeGeometry(
        layout, functions, neighbors, tables, features,
        split_chunks(rows + 1, min(torch.get_num_threads(), layout.chunks)),
        [(int(first), int(last)) for first, last in zip(slots[0, :, 0], slots[-1, :, 1], strict=True)],
        loan,
    )  # fmt: skip
    run_parts(
        lambda _, first, last: fill_features(first, last, order, *geometry.known, features), geometry.parts
    )
    return geometry


def _symmetry_functions(
    architecture: Architecture, neighbors: Neighbors, dtype: torch.dtype
) -> list[np.ndarray]:
    """Closed forms of all pairs and triples, in the order of `Tables`."""
    constants, vectors = constants_of(architecture.symmetry_functions), torch.from_numpy(neighbors.vectors)
    distances = torch.linalg.vector_norm(vectors, dim=1)
    r, u = distances.to(dtype), (vectors / distances.unsqueeze(1)).to(dtype)
    first, second = torch.from_numpy(find_triples(neighbors))
    c = (u[first] * u[second]).sum(1)
    with flushed_denormals():
        radial = torch.stack(radial_terms(constants, r))
        cutoffs = torch.stack(cutoff_terms(constants.cutoff, constants.angular_cutoff, r))
        shells, angles = shell_terms(constants, r[first], r[second]), angle_terms(constants, c)
    return [table.numpy() for table in (r, u, radial, cutoffs, c, shells, angles)]
