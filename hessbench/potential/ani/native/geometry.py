"""Features and packed Jacobian from the symmetry functions of pairs and triples, chunk by chunk."""

from typing import NamedTuple

import numpy as np

from hessbench.potential.ani.native.compiler import inner_kernel, kernel
from hessbench.potential.ani.native.layout import Floats, Ints


class Tables(NamedTuple):
    """Distances, directions, and symmetry functions of every pair and triple, and what they add up to.

    Of radial functions, shells and angles no derivatives that nothing needs.
    """

    r: Floats  # (P,)
    u: Floats  # (P, 3)
    radial: Floats  # (3, P, K) R, R', R''
    cutoffs: Floats  # (3, P) f, f', f'' of the angular cutoff, for near pairs
    triples: Ints  # (T, 3) pairs p and q, and the first feature of their angle
    c: Floats  # (T,) cosines
    turning: Floats  # (T, 2, 3) their derivatives in the neighbours' coordinates, (u_q - c u_p) / r_p first
    shells: Floats  # (3, T, N) h, h', h''
    angles: Floats  # (3, T, Z) A, A', A''
    jacobian: Floats  # see `pack`; this and what follows is empty below order 2
    row_block: Ints  # (rows,) place of each kept row among those of its chunk and element
    address: Ints  # (P, 3) first element of each row in the Jacobian, -1 for none
    blocks: Ints  # (E, C, 2 E, 5) rows from, to; first of `layout.columns`, how many; place in the Jacobian


@kernel
def fill_features(first, last, layout, neighbors, tables, features, order):
    """Sum up features (A, F) of chunks first to last - 1, by slot; in order 2 also what `Tables` has last."""
    radial, angular = layout.radial, layout.angular
    scratch = np.zeros((3, angular), features.dtype)
    along, none = np.zeros(3, features.dtype), np.zeros(3, features.dtype)
    along[0] = 1  # a far pair has one row, along u
    for k in range(first, last):
        ranks = layout.set_elements[layout.chunk_set[k]]
        if order > 1:
            for blocks in tables.blocks[:, k]:  # of one element
                end = blocks[-1, 4] + (blocks[-1, 1] - blocks[-1, 0]) * blocks[-1, 3]
                tables.jacobian[blocks[0, 4] : end] = 0
        for begin, end in layout.chunk_slots[k]:
            for slot in range(begin, end):
                own = features[slot]
                own[:] = 0
                near_end = neighbors.pair_start[slot] + neighbors.near[slot]
                for p in range(neighbors.pair_start[slot], neighbors.pair_start[slot + 1]):
                    feature = neighbors.pair_element[p] * radial
                    for n in range(radial):
                        own[feature + n] += tables.radial[0, p, n]
                    if order > 1:
                        slope, u = tables.radial[1, p], tables.u[p] if p < near_end else along
                        _add_to_jacobian(tables.address[p], 0, u, none, slope, slope, tables.jacobian)
                for triple in range(neighbors.triple_start[slot], neighbors.triple_start[slot + 1]):
                    pairs, feature = tables.triples[triple], tables.triples[triple, 2]
                    _angular_products(order, tables, pairs[0], pairs[1], triple, own[feature:], scratch)
                    if order > 1:
                        for side in range(2):
                            p, other = pairs[side], neighbors.pair_element[pairs[1 - side]]
                            _add_to_jacobian(
                                tables.address[p], radial + ranks[other] * angular, tables.u[p],
                                tables.turning[triple, side], scratch[side], scratch[2], tables.jacobian,
                            )  # fmt: skip


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
def _add_to_jacobian(address, offset, u, w, stretching, turning, jacobian):
    """Add u d/dr + w d/dc to the rows of one neighbour."""
    for x in range(3):
        if address[x] < 0:
            continue
        place = np.uint64(address[x] + offset)
        ux, wx = u[x], w[x]
        for n in range(np.uint64(len(stretching))):
            jacobian[place + n] += ux * stretching[n] + wx * turning[n]
