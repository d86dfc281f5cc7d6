"""Features, packed Jacobian and the tables of their derivatives, chunk by chunk."""

from typing import NamedTuple

import numpy as np

from hessbench.potential.ani.native.compiler import inner_kernel, kernel
from hessbench.potential.ani.native.layout import Floats
from hessbench.potential.ani.native.terms import angle_terms, cosine_gradients, cutoff_terms, dot, shell_terms


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
def fill_tables(first, last, order, layout, functions, neighbors, tables, coordinates, features, jacobian):
    """Evaluate features (A, F) of chunks first to last - 1, by slot, and tables; in order 2 the Jacobian."""
    elements = layout.chunk_slots.shape[1]
    radial = len(functions.radial_shifts)
    angular = len(functions.angular_shifts) * len(functions.cosines)
    scratch = np.zeros((3, angular), features.dtype)
    powers = np.zeros((3, len(functions.cosines)))
    w = np.zeros((2, 3), features.dtype)
    for k in range(first, last):
        ranks = layout.set_elements[layout.chunk_set[k]]
        columns = radial + angular * layout.set_size[layout.chunk_set[k]]
        for e in range(elements):
            for slot in range(layout.chunk_slots[k, e, 0], layout.chunk_slots[k, e, 1]):
                i = layout.order[slot]
                own = features[slot]
                own[:] = 0
                start = neighbors.pair_start[slot]
                near_stop = start + neighbors.near[slot]
                for p in range(start, neighbors.pair_start[slot + 1]):
                    j = neighbors.pair_atom[p]
                    feature = neighbors.pair_element[p] * radial
                    _fill_pair(
                        p, coordinates[i], coordinates[j], functions.scalars, functions.radial_shifts,
                        tables.r, tables.u[p], tables.radial[p], own[feature : feature + radial],
                    )  # fmt: skip
                    if p < near_stop:
                        f0, f1, f2 = cutoff_terms(functions.scalars[5], functions.scalars[1], tables.r[p])
                        tables.cutoffs[p, 0], tables.cutoffs[p, 1], tables.cutoffs[p, 2] = f0, f1, f2
                    if order > 1:
                        _jacobian_of_pair(
                            p < near_stop,
                            columns,
                            neighbors.address[p],
                            tables.u[p],
                            tables.radial[p, 0],
                            jacobian,
                        )
                triple = neighbors.triple_start[slot]
                for p in range(start, near_stop):
                    for q in range(p + 1, near_stop):
                        ep, eq = neighbors.pair_element[p], neighbors.pair_element[q]
                        feature = elements * radial + functions.pair_of[ep, eq] * angular
                        c = dot(tables.u[p], tables.u[q])
                        tables.c[triple] = c
                        mean = 0.5 * (np.float64(tables.r[p]) + np.float64(tables.r[q]))
                        shells, angles = tables.shells[triple], tables.angles[triple]
                        shell_terms(functions.scalars[3], functions.angular_shifts, mean, shells)
                        angle_terms(
                            functions.scalars[4], functions.cosines, functions.sines, c, powers, angles
                        )
                        _angular_products(
                            order, tables.cutoffs[p], tables.cutoffs[q], shells, angles,
                            own[feature : feature + angular], scratch,
                        )  # fmt: skip
                        if order > 1:
                            cosine_gradients(tables.u, tables.r, p, q, c, w)
                            _jacobian_of_triple(
                                neighbors.address[p], radial + ranks[eq] * angular,
                                tables.u[p], w[0], scratch[0], scratch[2], jacobian,
                            )  # fmt: skip
                            _jacobian_of_triple(
                                neighbors.address[q], radial + ranks[ep] * angular,
                                tables.u[q], w[1], scratch[1], scratch[2], jacobian,
                            )  # fmt: skip
                        triple += 1


@inner_kernel
def _fill_pair(p, center, neighbor, scalars, shifts, distances, u, radial, features):
    square = 0.0
    for x in range(3):
        d = np.float64(neighbor[x]) - np.float64(center[x])
        square += d * d
    r = np.sqrt(square)
    distances[p] = r
    for x in range(3):
        u[x] = (np.float64(neighbor[x]) - np.float64(center[x])) / r
    f0, f1, f2 = cutoff_terms(scalars[5], scalars[0], r)
    eta = scalars[2]
    for n in range(len(shifts)):
        d = r - shifts[n]
        h0 = 0.25 * np.exp(-eta * d * d)
        h1 = -2.0 * eta * d * h0
        h2 = (4.0 * eta * eta * d * d - 2.0 * eta) * h0
        features[n] += h0 * f0
        radial[0, n] = h1 * f0 + h0 * f1
        radial[1, n] = h2 * f0 + 2.0 * h1 * f1 + h0 * f2


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
def _angular_products(order, cutoffs_p, cutoffs_q, shells, angles, features, scratch):
    """Add h A f to the features; in order 2 also d/dr1, d/dr2 and d/dc of h A f into scratch (3, N Z).

    Unsigned indices: numba prepares signed ones to count from the end, and such loops do not vectorize.
    """
    cast = features.dtype.type
    f = cutoffs_p[0] * cutoffs_q[0]
    nz = np.uint64(angles.shape[1])
    for n in range(np.uint64(shells.shape[1])):
        weight = shells[0, n] * f
        for z in range(nz):
            features[n * nz + z] += weight * angles[0, z]
    if order < 2:
        return
    left, right = cutoffs_p[1] * cutoffs_q[0], cutoffs_p[0] * cutoffs_q[1]
    half = cast(0.5)
    for n in range(np.uint64(shells.shape[1])):
        along = half * shells[1, n] * f
        on_p, on_q, turning = along + shells[0, n] * left, along + shells[0, n] * right, shells[0, n] * f
        for z in range(nz):
            scratch[0, n * nz + z] = on_p * angles[0, z]
            scratch[1, n * nz + z] = on_q * angles[0, z]
            scratch[2, n * nz + z] = turning * angles[1, z]


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
