"""The geometry of a batch as the kernels want it."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch

from hessbench.potential.ani.model import ANI
from hessbench.potential.ani.native.geometry import Tables, fill_tables
from hessbench.potential.ani.native.layout import (
    Floats,
    Functions,
    Layout,
    Shape,
    functions_of,
    layout_of,
    shape_of,
)
from hessbench.potential.ani.native.neighbors import Neighbors, find_neighbors
from hessbench.potential.ani.native.runtime import Buffer, run_parts, split_chunks
from hessbench.potential.batch import Batch


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

    def over_chunks(self, kernel: Callable[..., None], *arrays: Floats) -> None:
        """Run kernel(first, last, layout, functions, neighbors, tables, arrays) on all threads."""
        run_parts(lambda part, first, last: kernel(first, last, *self.known, *arrays), self.parts)


def build(model: ANI, batch: Batch, order: int) -> NativeGeometry:
    """Find neighbours and evaluate features and tables; in order 2 also the packed Jacobian."""
    architecture = model.architecture
    elements = len(architecture.elements)
    element = model.element_indices(batch.numbers).numpy()
    layout = layout_of(element, batch.counts.numpy(), elements)
    functions = functions_of(architecture)
    coordinates = np.ascontiguousarray(batch.coordinates.detach().numpy())
    neighbors = Neighbors(*find_neighbors(layout, functions, coordinates))
    pairs, _, triples, packed = neighbors.sizes.tolist()
    radial, shells, angles = (
        len(functions.radial_shifts),
        len(functions.angular_shifts),
        len(functions.cosines),
    )
    shapes = [
        (pairs,), (pairs, 3), (pairs, 2, radial), (pairs, 3), (triples,), (triples, 3, shells), (triples,
        3, angles),
        (len(element), architecture.features), (packed if order > 1 else 0,),
    ]  # fmt: skip
    sizes = [int(np.prod(shape)) for shape in shapes]
    loan = Buffer(sum(sizes), coordinates.dtype)
    ends = np.cumsum(sizes)
    arrays = [
        loan.array[end - size : end].reshape(shape)
        for shape, size, end in zip(shapes, sizes, ends, strict=True)
    ]
    tables, features, jacobian = Tables(*arrays[:7]), arrays[7], arrays[8]
    work = np.array([0] * layout.chunks)
    for index in range(elements):
        slots = layout.chunk_slots[:, index]
        work += neighbors.row_start[slots[:, 1]] - neighbors.row_start[slots[:, 0]] + 1
    parts = split_chunks(work, min(torch.get_num_threads(), layout.chunks))

    def fill(part: int, first: int, last: int) -> None:
        fill_tables(first, last, order, layout, functions, neighbors, coordinates, tables, features, jacobian)

    run_parts(fill, parts)
    first_slots = [*layout.chunk_slots[0, :, 0].tolist(), len(element)]
    return NativeGeometry(
        layout,
        functions,
        shape_of(architecture),
        neighbors,
        tables,
        features,
        jacobian,
        parts,
        first_slots,
        [loan],
    )
