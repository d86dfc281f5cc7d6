"""Kernels of Hessian-vector products: (g . K) p, atom by atom, and its adjoint.

What pairs see of k vectors p, the differences between the neighbour's and the atom's, is (P, 3, k).
"""

import numpy as np

from hessbench.potential.ani.native.compiler import kernel
from hessbench.potential.ani.native.curvature import add_curvature, curvature_adjoint
from hessbench.potential.ani.native.lines import add


@kernel
def curvature_times(first, last, layout, neighbors, tables, gradient, differences, products):
    """Add (g . K) p of each atom up to the products (A, 3, k); the gradient g is (A, F) by slot."""
    s, d, count = np.zeros(6), np.zeros(9), products.shape[2]
    for e in range(layout.chunk_slots.shape[1]):
        for slot in range(layout.chunk_slots[first, e, 0], layout.chunk_slots[last - 1, e, 1]):
            start, stop = neighbors.pair_start[slot], neighbors.pair_start[slot + 1]
            size = 3 * (stop - start)
            local = np.zeros((size, size), products.dtype)
            add_curvature(slot, neighbors, tables, gradient[slot], local, s, d)
            found = np.dot(local, differences[start:stop].reshape(size, count)).reshape(
                stop - start, 3, count
            )
            center = products[layout.order[slot]]
            for p in range(stop - start):
                add(found[p], products[neighbors.pair_atom[start + p]])
                for x in range(3):
                    for n in range(count):
                        center[x, n] -= found[p, x, n]


@kernel
def curvature_times_adjoint(first, last, layout, neighbors, tables, differences, adjoint, of_gradient):
    """Adjoint of `curvature_times`: add to the gradient's (A, F); what pairs see of its own is (P, 3, k)."""
    s, d, count = np.zeros(6), np.zeros(9), differences.shape[2]
    for e in range(layout.chunk_slots.shape[1]):
        for slot in range(layout.chunk_slots[first, e, 0], layout.chunk_slots[last - 1, e, 1]):
            start, stop = neighbors.pair_start[slot], neighbors.pair_start[slot + 1]
            size, half = 3 * (stop - start), adjoint.dtype.type(0.5)
            left = half * adjoint[start:stop].reshape(size, count)
            right = differences[start:stop].reshape(size, count)
            local = np.dot(left, right.T)
            add(np.dot(right, left.T), local)
            curvature_adjoint(slot, neighbors, tables, local, of_gradient[slot], s, d)
