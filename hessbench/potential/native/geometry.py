"""Neighbours, features, packed Jacobian and the tables of their derivatives, chunk by chunk.

The rows of the Jacobian are those of potential/rows.py without padding: three of a near neighbour, one
of a far one. Those of one chunk and element stand together, near blocks by neighbour element first,
far ones after them.
"""

from typing import NamedTuple

import numpy as np

from hessbench.potential.native.compiler import kernel
from hessbench.potential.native.layout import Floats, Ints
from hessbench.potential.native.terms import angle_terms, cosine_gradients, cutoff_terms, dot, shell_terms


class Neighbors(NamedTuple):
    """Who is near whom: pairs by slot of the central atom, near ones first, by element of the neighbour."""

    pair_start: Ints  # (A + 1,)
    near: Ints  # (A,) near neighbours of each slot
    pair_atom: Ints  # (P,)
    pair_element: Ints  # (P,)
    row_start: Ints  # (A + 1,) rows of each slot
    pair_block: Ints  # (P,) first row among those of the chunk and element, in the order of the blocks
    triple_start: Ints  # (A + 1,)
    block_start: Ints  # (C, E, 2 E + 1) first row of each block
    jacobian_start: Ints  # (C, E) place of the rows of a chunk and element in the packed Jacobian
    sizes: Ints  # number of pairs, rows, triples, elements of the packed Jacobian


class Tables(NamedTuple):
    """Distances, directions, and symmetry functions of every pair and triple."""

    r: Floats  # (P,)
    u: Floats  # (P, 3)
    radial: Floats  # (P, 2, K) R', R''
    cutoffs: Floats  # (P, 3) f, f', f'' of the angular cutoff, for near pairs
    c: Floats  # (T,)
    shells: Floats  # (T, 3, N) h, h', h''
    angles: Floats  # (T, 3, Z) A, A', A''


@kernel
def find_neighbors(layout, functions, coordinates):
    """Return the arrays of `Neighbors`."""
    atoms = len(layout.order)
    chunks, elements = layout.chunk_slots.shape[:2]
    rc, ra = functions.scalars[0], functions.scalars[1]
    radial = len(functions.radial_shifts)
    angular = len(functions.angular_shifts) * len(functions.cosines)
    pair_start = np.zeros(atoms + 1, np.int64)
    near = np.zeros(atoms, np.int64)
    row_start = np.zeros(atoms + 1, np.int64)
    triple_start = np.zeros(atoms + 1, np.int64)
    block_start = np.zeros((chunks, elements, 2 * elements + 1), np.int64)
    jacobian_start = np.zeros((chunks, elements), np.int64)
    most = 0
    for m in range(len(layout.start) - 1):
        size = layout.start[m + 1] - layout.start[m]
        most += size * (size - 1)
    candidate_atom = np.empty(most, np.int64)
    candidate_far = np.empty(most, np.bool_)
    distance = np.empty(atoms, np.float64)
    pairs = 0
    for slot in range(atoms):
        i = layout.order[slot]
        first, last = layout.start[layout.molecule[i]], layout.start[layout.molecule[i] + 1]
        for j in range(first, last):
            square = 0.0
            for x in range(3):
                d = np.float64(coordinates[j, x]) - np.float64(coordinates[i, x])
                square += d * d
            distance[j] = np.sqrt(square)
        for far in range(2):
            low = ra if far else -1.0
            high = rc if far else ra
            for e in range(elements):
                for j in range(first, last):
                    if j != i and layout.element[j] == e and low < distance[j] <= high:
                        candidate_atom[pairs] = j
                        candidate_far[pairs] = far == 1
                        pairs += 1
            if far == 0:
                near[slot] = pairs - pair_start[slot]
        pair_start[slot + 1] = pairs
        count = near[slot]
        row_start[slot + 1] = row_start[slot] + 2 * count + pairs - pair_start[slot]
        triple_start[slot + 1] = triple_start[slot] + count * (count - 1) // 2
    pair_atom = candidate_atom[:pairs].copy()
    pair_element = layout.element[pair_atom]
    pair_block = np.empty(pairs, np.int64)
    place = 0
    for k in range(chunks):
        columns = radial + angular * layout.set_size[layout.chunk_set[k]]
        for e in range(elements):
            first, last = layout.chunk_slots[k, e, 0], layout.chunk_slots[k, e, 1]
            starts = block_start[k, e]
            for p in range(pair_start[first], pair_start[last]):
                if candidate_far[p]:
                    starts[elements + pair_element[p] + 1] += 1
                else:
                    starts[pair_element[p] + 1] += 3
            for block in range(2 * elements):
                starts[block + 1] += starts[block]
            following = starts.copy()
            for p in range(pair_start[first], pair_start[last]):
                block = pair_element[p] + (elements if candidate_far[p] else 0)
                pair_block[p] = following[block]
                following[block] += 1 if candidate_far[p] else 3
            jacobian_start[k, e] = place
            place += starts[elements] * columns + (starts[2 * elements] - starts[elements]) * radial
    sizes = np.array([pairs, row_start[atoms], triple_start[atoms], place])
    return (
        pair_start, near, pair_atom, pair_element, row_start, pair_block, triple_start,
        block_start, jacobian_start, sizes,
    )  # fmt: skip


@kernel
def fill_tables(first, last, order, layout, functions, neighbors, coordinates, tables, features, jacobian):
    """Evaluate features (A, F) of chunks first to last - 1, by slot, and all tables; in order 2 the Jacobian."""
    elements = layout.chunk_slots.shape[1]
    shifts = functions.radial_shifts
    angular = len(functions.angular_shifts) * len(functions.cosines)
    rc, ra, eta, smooth = functions.scalars[0], functions.scalars[1], functions.scalars[2], functions.scalars[5]
    scratch = np.zeros((3, angular), features.dtype)
    w = np.zeros((2, 3), features.dtype)
    for k in range(first, last):
        ranks = layout.set_elements[layout.chunk_set[k]]
        columns = len(shifts) + angular * layout.set_size[layout.chunk_set[k]]
        for e in range(elements):
            base = neighbors.jacobian_start[k, e]
            near_rows = neighbors.block_start[k, e, elements]
            for slot in range(layout.chunk_slots[k, e, 0], layout.chunk_slots[k, e, 1]):
                i = layout.order[slot]
                features[slot, :] = 0
                for p in range(neighbors.pair_start[slot], neighbors.pair_start[slot + 1]):
                    j = neighbors.pair_atom[p]
                    near = p - neighbors.pair_start[slot] < neighbors.near[slot]
                    place = neighbors.pair_block[p]
                    if near:
                        place = base + place * columns
                    else:
                        place = base + near_rows * columns + (place - near_rows) * len(shifts)
                    _fill_pair(
                        order, p, i, j, near, rc, ra, eta, smooth, shifts, coordinates, tables,
                        features[slot], neighbors.pair_element[p] * len(shifts), jacobian, place, columns,
                    )  # fmt: skip
                start = neighbors.pair_start[slot]
                triple = neighbors.triple_start[slot]
                for p in range(start, start + neighbors.near[slot]):
                    for q in range(p + 1, start + neighbors.near[slot]):
                        ep, eq = neighbors.pair_element[p], neighbors.pair_element[q]
                        feature = elements * len(shifts) + functions.pair_of[ep, eq] * angular
                        _fill_triple(
                            order, triple, p, q, functions, tables, features[slot], feature, scratch, w, jacobian,
                            base + neighbors.pair_block[p] * columns + len(shifts) + ranks[eq] * angular,
                            base + neighbors.pair_block[q] * columns + len(shifts) + ranks[ep] * angular,
                            columns,
                        )  # fmt: skip
                        triple += 1


@kernel
def _fill_pair(
    order, p, i, j, near, rc, ra, eta, smooth, shifts, coordinates, tables, features, feature, jacobian, place, columns
):
    square = 0.0
    for x in range(3):
        d = np.float64(coordinates[j, x]) - np.float64(coordinates[i, x])
        square += d * d
    r = np.sqrt(square)
    tables.r[p] = r
    for x in range(3):
        tables.u[p, x] = (np.float64(coordinates[j, x]) - np.float64(coordinates[i, x])) / r
    f0, f1, f2 = cutoff_terms(smooth, rc, r)
    for n in range(len(shifts)):
        d = r - shifts[n]
        h0 = 0.25 * np.exp(-eta * d * d)
        h1 = -2.0 * eta * d * h0
        h2 = (4.0 * eta * eta * d * d - 2.0 * eta) * h0
        features[feature + n] += h0 * f0
        tables.radial[p, 0, n] = h1 * f0 + h0 * f1
        tables.radial[p, 1, n] = h2 * f0 + 2.0 * h1 * f1 + h0 * f2
    if near:
        c0, c1, c2 = cutoff_terms(smooth, ra, r)
        tables.cutoffs[p, 0], tables.cutoffs[p, 1], tables.cutoffs[p, 2] = c0, c1, c2
    if order < 2:
        return
    slope = tables.radial[p, 0]
    if not near:
        jacobian[place : place + len(shifts)] = slope
        return
    for x in range(3):
        row = jacobian[place + x * columns : place + (x + 1) * columns]
        direction = tables.u[p, x]
        for n in range(len(shifts)):
            row[n] = slope[n] * direction
        row[len(shifts) :] = 0


@kernel
def _fill_triple(
    order, triple, p, q, functions, tables, features, feature, scratch, w, jacobian, place_p, place_q, columns
):
    u, r = tables.u, tables.r
    c = dot(u[p], u[q])
    tables.c[triple] = c
    shells, angles = tables.shells[triple], tables.angles[triple]
    mean = 0.5 * (np.float64(r[p]) + np.float64(r[q]))
    shell_terms(functions.scalars[3], functions.angular_shifts, mean, shells)
    angle_terms(functions.scalars[4], functions.cosines, functions.sines, c, angles)
    cast = features.dtype.type
    f = cast(tables.cutoffs[p, 0] * tables.cutoffs[q, 0])
    nz = angles.shape[1]
    for n in range(shells.shape[1]):
        hf = shells[0, n] * f
        for z in range(nz):
            features[feature + n * nz + z] += hf * angles[0, z]
    if order < 2:
        return
    left = cast(tables.cutoffs[p, 1] * tables.cutoffs[q, 0])
    right = cast(tables.cutoffs[p, 0] * tables.cutoffs[q, 1])
    half = cast(0.5)
    for n in range(shells.shape[1]):
        along = half * shells[1, n] * f
        on_p = along + shells[0, n] * left
        on_q = along + shells[0, n] * right
        turning = shells[0, n] * f
        for z in range(nz):
            scratch[0, n * nz + z] = on_p * angles[0, z]
            scratch[1, n * nz + z] = on_q * angles[0, z]
            scratch[2, n * nz + z] = turning * angles[1, z]
    cosine_gradients(u, r, p, q, c, w)
    width = scratch.shape[1]
    for x in range(3):
        row_p = jacobian[place_p + x * columns : place_p + x * columns + width]
        row_q = jacobian[place_q + x * columns : place_q + x * columns + width]
        up, uq, wp, wq = u[p, x], u[q, x], w[0, x], w[1, x]
        for column in range(width):
            row_p[column] += up * scratch[0, column] + wp * scratch[2, column]
            row_q[column] += uq * scratch[1, column] + wq * scratch[2, column]
