"""Geometry times vectors: J^T g, J v, (g . K) v and their adjoints, without the Jacobian itself.

Vectors are (A, 3, k) by atom, gradients (A, k, F) by slot; chunks write to atoms and slots of their own.
"""

import numpy as np

from hessbench.potential.ani.native.compiler import inner_kernel, kernel
from hessbench.potential.ani.native.contractions import (
    contract,
    derivatives,
    derivatives_adjoint,
    spread,
    triple_adjoint,
    triple_blocks,
)
from hessbench.potential.ani.native.terms import cosine_gradients, dot, dot_n


@kernel
def pull_back(first, last, layout, functions, neighbors, tables, gradient, forces):
    """J^T g: add the derivatives with respect to the features (A, k, F) up to the atoms (A, 3, k)."""
    elements = layout.chunk_slots.shape[1]
    radial = len(functions.radial_shifts)
    angular = len(functions.angular_shifts) * len(functions.cosines)
    s, d = np.zeros(6), np.zeros(9)
    w = np.zeros((2, 3))
    for k in range(first, last):
        for e in range(elements):
            for slot in range(layout.chunk_slots[k, e, 0], layout.chunk_slots[k, e, 1]):
                i = layout.order[slot]
                start = neighbors.pair_start[slot]
                for column in range(gradient.shape[1]):
                    g = gradient[slot, column]
                    for p in range(start, neighbors.pair_start[slot + 1]):
                        slope = dot_n(
                            g[neighbors.pair_element[p] * radial : (neighbors.pair_element[p] + 1) * radial],
                            tables.radial[p, 0],
                        )
                        j = neighbors.pair_atom[p]
                        for x in range(3):
                            force = slope * tables.u[p, x]
                            forces[j, x, column] += force
                            forces[i, x, column] -= force
                triple = neighbors.triple_start[slot]
                for p in range(start, start + neighbors.near[slot]):
                    for q in range(p + 1, start + neighbors.near[slot]):
                        pair = functions.pair_of[neighbors.pair_element[p], neighbors.pair_element[q]]
                        feature = elements * radial + pair * angular
                        cosine_gradients(tables.u, tables.r, p, q, tables.c[triple], w)
                        jp, jq = neighbors.pair_atom[p], neighbors.pair_atom[q]
                        for column in range(gradient.shape[1]):
                            contract(
                                1, gradient[slot, column], feature, tables.shells, tables.angles, triple, s
                            )
                            derivatives(1, s, tables.cutoffs, p, q, d)
                            for x in range(3):
                                on_p = d[0] * tables.u[p, x] + d[2] * w[0, x]
                                on_q = d[1] * tables.u[q, x] + d[2] * w[1, x]
                                forces[jp, x, column] += on_p
                                forces[jq, x, column] += on_q
                                forces[i, x, column] -= on_p + on_q
                        triple += 1


@kernel
def push_forward(first, last, layout, functions, neighbors, tables, vectors, gradient):
    """J v: add the derivative of the features along vectors (A, 3, k) to gradient (A, k, F)."""
    elements = layout.chunk_slots.shape[1]
    radial = len(functions.radial_shifts)
    angular = len(functions.angular_shifts) * len(functions.cosines)
    cast = gradient.dtype.type
    s, d = np.zeros(6), np.zeros(9)
    w, v = np.zeros((2, 3)), np.zeros((2, 3))
    for k in range(first, last):
        for e in range(elements):
            for slot in range(layout.chunk_slots[k, e, 0], layout.chunk_slots[k, e, 1]):
                i = layout.order[slot]
                start = neighbors.pair_start[slot]
                for column in range(gradient.shape[1]):
                    for p in range(start, neighbors.pair_start[slot + 1]):
                        _relative(vectors, neighbors.pair_atom[p], i, column, v[0])
                        along = cast(dot(tables.u[p], v[0]))
                        feature = neighbors.pair_element[p] * radial
                        for n in range(radial):
                            gradient[slot, column, feature + n] += along * tables.radial[p, 0, n]
                triple = neighbors.triple_start[slot]
                for p in range(start, start + neighbors.near[slot]):
                    for q in range(p + 1, start + neighbors.near[slot]):
                        pair = functions.pair_of[neighbors.pair_element[p], neighbors.pair_element[q]]
                        feature = elements * radial + pair * angular
                        cosine_gradients(tables.u, tables.r, p, q, tables.c[triple], w)
                        for column in range(gradient.shape[1]):
                            _relative(vectors, neighbors.pair_atom[p], i, column, v[0])
                            _relative(vectors, neighbors.pair_atom[q], i, column, v[1])
                            d[0] = dot(tables.u[p], v[0])
                            d[1] = dot(tables.u[q], v[1])
                            d[2] = dot(w[0], v[0]) + dot(w[1], v[1])
                            derivatives_adjoint(1, d, tables.cutoffs, p, q, s)
                            g = gradient[slot, column]
                            spread(1, s, tables.shells, tables.angles, triple, g, feature)
                        triple += 1


@kernel
def curvature_times(first, last, layout, functions, neighbors, tables, gradient, vectors, products):
    """(g . K) v: add the curvature of the features, weighted by gradient (A, F), times vectors (A, 3, k)."""
    elements = layout.chunk_slots.shape[1]
    radial = len(functions.radial_shifts)
    angular = len(functions.angular_shifts) * len(functions.cosines)
    s, d = np.zeros(6), np.zeros(9)
    w, v, blocks = np.zeros((2, 3)), np.zeros((2, 3)), np.zeros((3, 3, 3))
    for k in range(first, last):
        for e in range(elements):
            for slot in range(layout.chunk_slots[k, e, 0], layout.chunk_slots[k, e, 1]):
                i = layout.order[slot]
                start = neighbors.pair_start[slot]
                for p in range(start, neighbors.pair_start[slot + 1]):
                    feature = neighbors.pair_element[p] * radial
                    g = gradient[slot, feature : feature + radial]
                    slope = dot_n(g, tables.radial[p, 0]) / tables.r[p]
                    bend = dot_n(g, tables.radial[p, 1]) - slope
                    j = neighbors.pair_atom[p]
                    for column in range(vectors.shape[2]):
                        _relative(vectors, j, i, column, v[0])
                        along = bend * dot(tables.u[p], v[0])
                        for x in range(3):
                            value = along * tables.u[p, x] + slope * v[0, x]
                            products[j, x, column] += value
                            products[i, x, column] -= value
                triple = neighbors.triple_start[slot]
                for p in range(start, start + neighbors.near[slot]):
                    for q in range(p + 1, start + neighbors.near[slot]):
                        pair = functions.pair_of[neighbors.pair_element[p], neighbors.pair_element[q]]
                        feature = elements * radial + pair * angular
                        triple_blocks(tables, p, q, triple, gradient[slot], feature, s, d, w, blocks)
                        jp, jq = neighbors.pair_atom[p], neighbors.pair_atom[q]
                        for column in range(vectors.shape[2]):
                            _relative(vectors, jp, i, column, v[0])
                            _relative(vectors, jq, i, column, v[1])
                            for x in range(3):
                                on_p = on_q = 0.0
                                for y in range(3):
                                    on_p += blocks[0, x, y] * v[0, y] + blocks[1, x, y] * v[1, y]
                                    on_q += blocks[1, y, x] * v[0, y] + blocks[2, x, y] * v[1, y]
                                products[jp, x, column] += on_p
                                products[jq, x, column] += on_q
                                products[i, x, column] -= on_p + on_q
                        triple += 1


@kernel
def curvature_times_adjoint(first, last, layout, functions, neighbors, tables, vectors, adjoint, gradient):
    """Adjoint of `curvature_times` for the gradient (A, F): add sum over columns of adjoint' K vectors."""
    elements = layout.chunk_slots.shape[1]
    radial = len(functions.radial_shifts)
    angular = len(functions.angular_shifts) * len(functions.cosines)
    cast = gradient.dtype.type
    s, d = np.zeros(6), np.zeros(9)
    w, blocks = np.zeros((2, 3)), np.zeros((3, 3, 3))
    v, a = np.zeros((2, 3)), np.zeros((2, 3))
    for k in range(first, last):
        for e in range(elements):
            for slot in range(layout.chunk_slots[k, e, 0], layout.chunk_slots[k, e, 1]):
                i = layout.order[slot]
                start = neighbors.pair_start[slot]
                for p in range(start, neighbors.pair_start[slot + 1]):
                    bend = whole = 0.0
                    for column in range(vectors.shape[2]):
                        _relative(vectors, neighbors.pair_atom[p], i, column, v[0])
                        _relative(adjoint, neighbors.pair_atom[p], i, column, a[0])
                        bend += dot(tables.u[p], v[0]) * dot(tables.u[p], a[0])
                        whole += dot(v[0], a[0])
                    feature = neighbors.pair_element[p] * radial
                    across = cast((whole - bend) / tables.r[p])
                    along = cast(bend)
                    for n in range(radial):
                        gradient[slot, feature + n] += (
                            along * tables.radial[p, 1, n] + across * tables.radial[p, 0, n]
                        )
                triple = neighbors.triple_start[slot]
                for p in range(start, start + neighbors.near[slot]):
                    for q in range(p + 1, start + neighbors.near[slot]):
                        blocks[:] = 0.0
                        for column in range(vectors.shape[2]):
                            for index, pair in enumerate((p, q)):
                                _relative(vectors, neighbors.pair_atom[pair], i, column, v[index])
                                _relative(adjoint, neighbors.pair_atom[pair], i, column, a[index])
                            for x in range(3):
                                for y in range(3):
                                    blocks[0, x, y] += 0.5 * (a[0, x] * v[0, y] + a[0, y] * v[0, x])
                                    blocks[1, x, y] += a[0, x] * v[1, y] + v[0, x] * a[1, y]
                                    blocks[2, x, y] += 0.5 * (a[1, x] * v[1, y] + a[1, y] * v[1, x])
                        pair = functions.pair_of[neighbors.pair_element[p], neighbors.pair_element[q]]
                        feature = elements * radial + pair * angular
                        triple_adjoint(tables, p, q, triple, blocks, s, d, w, gradient[slot], feature)
                        triple += 1


@inner_kernel
def _relative(vectors, j, i, column, out):
    for x in range(3):
        out[x] = np.float64(vectors[j, x, column]) - np.float64(vectors[i, x, column])
