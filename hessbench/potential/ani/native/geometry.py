"""Features and packed Jacobian from the symmetry functions of pairs and triples, chunk by chunk."""

from typing import NamedTuple

import numpy as np

from hessbench.potential.ani.native.compiler import inner_kernel, kernel
from hessbench.potential.ani.native.contractions import cosine_gradients
from hessbench.potential.ani.native.curvature import angular_feature
from hessbench.potential.ani.native.layout import Floats, Ints


class Tables(NamedTuple):
    """Distances, directions, and symmetry functions of every pair and triple, and what they add up to."""

    r: Floats  # (P,)
    u: Floats  # (P, 3)
    radial: Floats  # (3, P, K) R, R', R''
    cutoffs: Floats  # (3, P) f, f', f'' of the angular cutoff, for near pairs
    c: Floats  # (T,)
    shells: Floats  # (3, T, N) h, h', h''
    angles: Floats  # (3, T, Z) A, A', A''
    jacobian: Floats  # see `pack`; this and what follows is empty below order 2
    displacements: Floats  # of each atom's kept rows, (rows, 3 P) one after the other
    row_block: Ints  # (rows,) place of each kept row among those of its chunk and element
    address: Ints  # (P, 3) first element of each row in the Jacobian, -1 for none
    block_start: Ints  # (E, C, 2 E + 1) first row of each block
    jacobian_start: Ints  # (E, C) place of the rows of an element and chunk


@kernel
def fill_features(first, last, order, layout, functions, neighbors, tables, features):
    """Sum up features (A, F) of chunks first to last - 1, by slot; in order 2 also what `Tables` has last."""
    radial, angular = functions.radial, functions.angular
    scratch, w = np.zeros((3, angular), features.dtype), np.zeros((2, 3), features.dtype)
    for k in range(first, last):
        ranks = layout.set_elements[layout.chunk_set[k]]
        columns = radial + angular * layout.set_size[layout.chunk_set[k]]
        for begin, end in layout.chunk_slots[k]:
            for slot in range(begin, end):
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
                            p < near_stop, columns, tables.address[p], tables.u[p], tables.radial[1, p],
                            tables.jacobian,
                        )  # fmt: skip
                if order > 1:
                    _fill_displacements(slot, neighbors, tables)
                triple = neighbors.triple_start[slot]
                for p in range(start, near_stop):
                    for q in range(p + 1, near_stop):
                        ep, eq = neighbors.pair_element[p], neighbors.pair_element[q]
                        feature = angular_feature(p, q, functions, neighbors)
                        _angular_products(
                            order, tables, p, q, triple, own[feature : feature + angular], scratch
                        )
                        if order > 1:
                            cosine_gradients(tables.u, tables.r, p, q, tables.c[triple], w)
                            _jacobian_of_triple(
                                tables.address[p], radial + ranks[eq] * angular,
                                tables.u[p], w[0], scratch[0], scratch[2], tables.jacobian,
                            )  # fmt: skip
                            _jacobian_of_triple(
                                tables.address[q], radial + ranks[ep] * angular,
                                tables.u[q], w[1], scratch[1], scratch[2], tables.jacobian,
                            )  # fmt: skip
                        triple += 1


@inner_kernel
def _fill_displacements(slot, neighbors, tables):
    """Displacements that the kept rows of one atom stand for, (rows, 3 P).

    A row that was left out is a combination of those kept; they take its displacement over.
    """
    start, begin, rows = neighbors.pair_start[slot], neighbors.row_start[slot], neighbors.row_start[slot + 1]
    rows -= begin
    place, width = neighbors.displacement_start[slot], 3 * (neighbors.pair_start[slot + 1] - start)
    near, lost = neighbors.near[slot], neighbors.lost[slot]
    for row in range(rows):
        full = neighbors.row_full[begin + row]
        line = tables.displacements[place + row * width :][:width]
        line[:] = 0
        if full < 3 * near:
            line[full] = 1
        else:
            p = full - 2 * near
            line[3 * p : 3 * p + 3] = tables.u[start + p]
        for b in range(3):
            if lost[b] >= 0:
                line[lost[b]] = neighbors.combination[3 * begin + b * rows + row]


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
