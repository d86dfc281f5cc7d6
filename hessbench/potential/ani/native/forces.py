"""First derivatives of the features times one vector: J^T g and J v, without the Jacobian itself.

Gradients are (A, F) by slot, forces (A, 3) by atom; chunks write to atoms and slots of their own.
"""

import numpy as np

from hessbench.potential.ani.native.compiler import kernel
from hessbench.potential.ani.native.contractions import (
    contract,
    derivatives,
    derivatives_adjoint,
    dot,
    spread,
)


@kernel
def pull_back(first, last, layout, neighbors, tables, gradient, forces):
    """J^T g: add the derivatives with respect to the features up to the atoms; of dE/dG it makes dE/dx."""
    s, d = np.zeros(6), np.zeros(9)
    for e in range(layout.chunk_slots.shape[1]):
        for slot in range(layout.chunk_slots[first, e, 0], layout.chunk_slots[last - 1, e, 1]):
            i, g = layout.order[slot], gradient[slot]
            for p in range(neighbors.pair_start[slot], neighbors.pair_start[slot + 1]):
                feature = neighbors.pair_element[p] * layout.radial
                slope = dot(g[feature : feature + layout.radial], tables.radial[1, p])
                for x in range(3):
                    force = slope * tables.u[p, x]
                    forces[neighbors.pair_atom[p], x] += force
                    forces[i, x] -= force
            for triple in range(neighbors.triple_start[slot], neighbors.triple_start[slot + 1]):
                contract(1, g, tables, triple, s)
                derivatives(1, s, tables, triple, d)
                for side in range(2):
                    pair = tables.triples[triple, side]
                    for x in range(3):
                        force = d[side] * tables.u[pair, x] + d[2] * tables.turning[triple, side, x]
                        forces[neighbors.pair_atom[pair], x] += force
                        forces[i, x] -= force


@kernel
def push_forward(first, last, layout, neighbors, tables, differences, gradient):
    """J v: add the derivative of the features along v to the gradient.

    differences are (P, 3), those of v between the neighbour and the atom of each pair.
    """
    cast = gradient.dtype.type
    s, d = np.zeros(6), np.zeros(9)
    for e in range(layout.chunk_slots.shape[1]):
        for slot in range(layout.chunk_slots[first, e, 0], layout.chunk_slots[last - 1, e, 1]):
            g = gradient[slot]
            for p in range(neighbors.pair_start[slot], neighbors.pair_start[slot + 1]):
                along = cast(dot(tables.u[p], differences[p]))
                feature = neighbors.pair_element[p] * layout.radial
                for n in range(layout.radial):
                    g[feature + n] += along * tables.radial[1, p, n]
            for triple in range(neighbors.triple_start[slot], neighbors.triple_start[slot + 1]):
                d[2] = 0.0
                for side in range(2):
                    pair = tables.triples[triple, side]
                    d[side] = dot(tables.u[pair], differences[pair])
                    d[2] += dot(tables.turning[triple, side], differences[pair])
                derivatives_adjoint(1, d, tables, triple, s)
                spread(1, s, tables, triple, g)
