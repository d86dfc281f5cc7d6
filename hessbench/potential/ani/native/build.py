"""The geometry of a batch as the kernels want it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from hessbench.potential.ani.model import ANI
from hessbench.potential.ani.native.geometry import Tables, fill_tables
from hessbench.potential.ani.native.layout import Floats, Functions, Layout, functions_of, layout_of
from hessbench.potential.ani.native.neighbors import Neighbors, find_neighbors
from hessbench.potential.ani.native.runtime import Buffer, run_parts, split_chunks
from hessbench.potential.batch import Batch


@dataclass
class NativeGeometry:
    """All that is needed of the coordinates of a batch; one geometry serves any number of models."""

    layout: Layout
    functions: Functions
    neighbors: Neighbors
    tables: Tables
    features: Floats  # (A, F) by slot
    jacobian: Floats  # packed; empty below order 2
    parts: list[tuple[int, int]]  # chunks of each thread
    slots: list[tuple[int, int]]  # first and last + 1 of each element
    loan: Buffer  # keeps the memory of tables and Jacobian

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
    pairs, _, triples, packed = neighbors.sizes.tolist()
    radial, shells = len(functions.radial_shifts), len(functions.angular_shifts)
    loan = Buffer(
        coordinates.dtype, (pairs,), (pairs, 3), (pairs, 2, radial), (pairs, 3), (triples,),
        (triples, 3, shells), (triples, 3, len(functions.cosines)), (packed if order > 1 else 0,),
    )  # fmt: skip
    *tables, jacobian = loan.arrays
    features = np.empty((len(element), architecture.features), coordinates.dtype)
    slots = layout.chunk_slots
    rows = (neighbors.row_start[slots[:, :, 1]] - neighbors.row_start[slots[:, :, 0]]).sum(1)
    geometry = NativeGeometry(
        layout, functions, neighbors, Tables(*tables), features, jacobian,
        split_chunks(rows + 1, min(torch.get_num_threads(), layout.chunks)),
        [(int(first), int(last)) for first, last in zip(slots[0, :, 0], slots[-1, :, 1], strict=True)],
        loan,
    )  # fmt: skip
    run_parts(
        lambda _, first, last: fill_tables(
            first, last, order, *geometry.known, coordinates, features, jacobian
        ),
        geometry.parts,
    )
    return geometry
