"""Features and packed Jacobian from the symmetry functions of pairs and triples, chunk by chunk."""

from typing import NamedTuple

import numpy as np

from hessbench.potential.ani.native.compiler import inner_kernel, kernel
from hessbench.potential.ani.native.contractions import cosine_gradients
from hessbench.potential.ani.native.layout import Floats
from hessbench.potential.ani.native.rows import directions_of


class Tables(NamedTuple):
    """Distances, directions, and symmetry functions of every pair and triple, and what they add up to."""

    r: Floats  # (P,)
    u: Floats  # (P, 3)
    radial: Floats  # (3, P, K) R, R', R''
    cutoffs: Floats  # (3, P) f, f', f'' of the angular cutoff, for near pairs
    c: Floats  # (T,)
    shells: Floats  # (3, T, N) h, h', h''
    angles: Floats  # (3, T, Z) A, A', A''
    jacobian: Floats  # packed, see `Neighbors`; this and what follows is empty below order 2
    displacements: Floats  # of each atom's kept rows, (rows, 3 P) one after the other


@kernel
def fill_features(first, last, order, layout, functions, neighbors, tables, features):
    """Sum up features (A, F) of chunks first to last - 1, by slot; in order 2 also what `Tables` has last."""
    elements, radial, angular = layout.chunk_slots.shape[1], functions.radial, functions.angular
    scratch, w = np.zeros((3, angular), features.dtype), np.zeros((2, 3), features.dtype)
    for k in range(first, last):
        ranks = layout.set_elements[layout.chunk_set[k]]
        columns = radial + angular * layout.set_size[layout.chunk_set[k]]
        for e in range(elements):
            for slot in range(layout.chunk_slots[k, e, 0], layout.chunk_slots[k, e, 1]):
                own = features[slot]
                own[:] = 0
                start = neighbors.pair_start[slot]
                near_stop = start + neighbors.near[slot]
                for p in range(start, neighbors.pair_start[slot + 1]):
                    feature = neighbors.pair_element[p] * radial
                    for n in range(radial):
                        own[feature + n] += tables.radial[0, p, n]
                    if order > 1:
                        _jacobian_of_pair(
                            p < near_stop, columns, neighbors.address[p], tables.u[p], tables.radial[1, p],
                            tables.jacobian,
                        )  # fmt: skip
                if order > 1:
                    _fill_displacements(slot, neighbors, tables)
                triple = neighbors.triple_start[slot]
                for p in range(start, near_stop):
                    for q in range(p + 1, near_stop):
                        ep, eq = neighbors.pair_element[p], neighbors.pair_element[q]
                        feature = elements * radial + functions.pair_of[ep, eq] * angular
                        _angular_products(
                            order, tables, p, q, triple, own[feature : feature + angular], scratch
                        )
                        if order > 1:
                            cosine_gradients(tables.u, tables.r, p, q, tables.c[triple], w)
                            _jacobian_of_triple(
                                neighbors.address[p], radial + ranks[eq] * angular,
                                tables.u[p], w[0], scratch[0], scratch[2], tables.jacobian,
                            )  # fmt: skip
                            _jacobian_of_triple(
                                neighbors.address[q], radial + ranks[ep] * angular,
                                tables.u[q], w[1], scratch[1], scratch[2], tables.jacobian,
                            )  # fmt: skip
                        triple += 1


@inner_kernel
def _fill_displacements(slot, neighbors, tables):
    """Displacements of the rows of one atom."""
    start, stop = neighbors.pair_start[slot], neighbors.pair_start[slot + 1]
    row, end = neighbors.row_start[slot], neighbors.row_start[slot + 1]
    first, last = neighbors.displacement_start[slot], neighbors.displacement_start[slot + 1]
    directions_of(
        neighbors.near[slot], neighbors.row_full[row:end], neighbors.lost[slot],
        neighbors.combination[3 * row : 3 * end], tables.u[start:stop],
        tables.displacements[first:last].reshape(end - row, 3 * (stop - start)),
    )  # fmt: skip


@inner_kernel
def _jacobian_of_pair(near, columns, address, u, slope, jacobian):
    """Radial part of the rows of a pair; what triples add to starts at zero."""
    radial = len(slope)
    for x in range(3):
        place = address[x]
        if place < 0:
            continue
        if not near:
            jacobian[place : place + radial] = slope
            continue
        row = jacobian[place : place + columns]
        for n in range(radial):
            row[n] = slope[n] * u[x]
        row[radial:] = 0


@inner_kernel
def _angular_products(order, tables, p, q, triple, features, scratch):
    """Add h A f to the features; in order 2 also d/dr1, d/dr2 and d/dc of h A f into scratch (3, N Z).

    Unsigned indices: numba prepares signed ones to count from the end, and such loops do not vectorize.
    """
    shells, angles, cutoffs, t = tables.shells, tables.angles, tables.cutoffs, np.uint64(triple)
    f = cutoffs[0, p] * cutoffs[0, q]
    left, right, half = cutoffs[1, p] * cutoffs[0, q], cutoffs[0, p] * cutoffs[1, q], features.dtype.type(0.5)
    nz = np.uint64(angles.shape[2])
    for n in range(np.uint64(shells.shape[2])):
        weight = shells[0, t, n] * f
        for z in range(nz):
            features[n * nz + z] += weight * angles[0, t, z]
        if order > 1:
            along = half * shells[1, t, n] * f
            on_p, on_q = along + shells[0, t, n] * left, along + shells[0, t, n] * right
            for z in range(nz):
                scratch[0, n * nz + z] = on_p * angles[0, t, z]
                scratch[1, n * nz + z] = on_q * angles[0, t, z]
                scratch[2, n * nz + z] = weight * angles[1, t, z]


@inner_kernel
def _jacobian_of_triple(address, offset, u, w, stretching, turning, jacobian):
    """Add u d/dr + w d/dc to the rows of one neighbour."""
    for x in range(3):
        if address[x] < 0:
            continue
        place = np.uint64(address[x] + offset)
        ux, wx = u[x], w[x]
        for n in range(np.uint64(len(stretching))):
            jacobian[place + n] += ux * stretching[n] + wx * turning[n]
