"""First derivatives of the features times one vector: J^T g and J v, without the Jacobian itself.

Vectors are (A, 3) by atom, gradients (A, F) by slot; chunks write to atoms and slots of their own.
"""

import numpy as np

from hessbench.potential.ani.native.compiler import inner_kernel, kernel
from hessbench.potential.ani.native.contractions import (
    contract,
    cosine_gradients,
    derivatives,
    derivatives_adjoint,
    dot,
    spread,
)
from hessbench.potential.ani.native.curvature import angular_feature


@kernel
def pull_back(first, last, layout, functions, neighbors, tables, gradient, forces):
    """J^T g: add the derivatives with respect to the features up to the atoms; of dE/dG it makes dE/dx."""
    radial = functions.radial
    s, d, w = np.zeros(6), np.zeros(9), np.zeros((2, 3))
    for k in range(first, last):
        for begin, end in layout.chunk_slots[k]:
            for slot in range(begin, end):
                i, g = layout.order[slot], gradient[slot]
                start = neighbors.pair_start[slot]
                for p in range(start, neighbors.pair_start[slot + 1]):
                    feature = neighbors.pair_element[p] * radial
                    slope = dot(g[feature : feature + radial], tables.radial[1, p])
                    j = neighbors.pair_atom[p]
                    for x in range(3):
                        force = slope * tables.u[p, x]
                        forces[j, x] += force
                        forces[i, x] -= force
                triple = neighbors.triple_start[slot]
                for p in range(start, start + neighbors.near[slot]):
                    for q in range(p + 1, start + neighbors.near[slot]):
                        feature = angular_feature(p, q, functions, neighbors)
                        contract(1, g, feature, tables.shells, tables.angles, triple, s)
                        derivatives(1, s, tables.cutoffs, p, q, d)
                        cosine_gradients(tables.u, tables.r, p, q, tables.c[triple], w)
                        jp, jq = neighbors.pair_atom[p], neighbors.pair_atom[q]
                        for x in range(3):
                            on_p = d[0] * tables.u[p, x] + d[2] * w[0, x]
                            on_q = d[1] * tables.u[q, x] + d[2] * w[1, x]
                            forces[jp, x] += on_p
                            forces[jq, x] += on_q
                            forces[i, x] -= on_p + on_q
                        triple += 1


@kernel
def push_forward(first, last, layout, functions, neighbors, tables, vectors, gradient):
    """J v: add the derivative of the features along v to the gradient."""
    radial = functions.radial
    cast = gradient.dtype.type
    s, d, w = np.zeros(6), np.zeros(9), np.zeros((2, 3))
    for k in range(first, last):
        for begin, end in layout.chunk_slots[k]:
            for slot in range(begin, end):
                center, g = vectors[layout.order[slot]], gradient[slot]
                start = neighbors.pair_start[slot]
                for p in range(start, neighbors.pair_start[slot + 1]):
                    along = cast(difference_along(tables.u[p], vectors[neighbors.pair_atom[p]], center))
                    feature = neighbors.pair_element[p] * radial
                    for n in range(radial):
                        g[feature + n] += along * tables.radial[1, p, n]
                triple = neighbors.triple_start[slot]
                for p in range(start, start + neighbors.near[slot]):
                    for q in range(p + 1, start + neighbors.near[slot]):
                        feature = angular_feature(p, q, functions, neighbors)
                        cosine_gradients(tables.u, tables.r, p, q, tables.c[triple], w)
                        on_p, on_q = vectors[neighbors.pair_atom[p]], vectors[neighbors.pair_atom[q]]
                        d[0] = difference_along(tables.u[p], on_p, center)
                        d[1] = difference_along(tables.u[q], on_q, center)
                        d[2] = difference_along(w[0], on_p, center) + difference_along(w[1], on_q, center)
                        derivatives_adjoint(1, d, tables.cutoffs, p, q, s)
                        spread(1, s, tables.shells, tables.angles, triple, g, feature)
                        triple += 1


@inner_kernel
def difference_along(direction, a, b):
    """Scalar product of a direction with a - b, 3-vectors."""
    total = 0.0
    for x in range(3):
        total += np.float64(direction[x]) * (np.float64(a[x]) - np.float64(b[x]))
    return total
