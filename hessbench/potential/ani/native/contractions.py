"""Scalars of a triple: g contracted with the tables, the derivatives of P, and the adjoints of both.

P = sum_nz g_nz h_n((r1 + r2) / 2) A_z(c) f(r1) f(r2); S_ab = sum_nz g_nz h_n^(a) A_z^(b).
Order of the scalars everywhere: S = 00, 10, 01, 20, 11, 02; P = 1, 2, c, 11, 22, 12, 1c, 2c, cc.
Triple t is of the pairs p and q and has features from `start` on: p, q, start = `tables.triples[t]`.
"""

import numpy as np

from hessbench.potential.ani.native.compiler import inner_kernel


@inner_kernel
def contract(order, g, tables, triple, s):
    """S_ab, a + b <= order, of a triple with its part of the gradient g, into s (6,)."""
    shells, angles = tables.shells, tables.angles
    nz = np.uint64(angles.shape[2])  # unsigned indices vectorize, signed ones may count from the end
    start, t = np.uint64(tables.triples[triple, 2]), np.uint64(triple)
    s[:] = 0.0
    for n in range(np.uint64(shells.shape[2])):
        y0 = y1 = y2 = shells.dtype.type(0)
        for z in range(nz):
            weight = g[start + n * nz + z]
            y0 += weight * angles[0, t, z]
            y1 += weight * angles[1, t, z]
        s[0] += shells[0, t, n] * y0
        s[1] += shells[1, t, n] * y0
        s[2] += shells[0, t, n] * y1
        if order > 1:
            for z in range(nz):
                y2 += g[start + n * nz + z] * angles[2, t, z]
            s[3] += shells[2, t, n] * y0
            s[4] += shells[1, t, n] * y1
            s[5] += shells[0, t, n] * y2


@inner_kernel
def spread(order, s, tables, triple, g):
    """Adjoint of `contract`: add sum_ab S_ab h_n^(a) A_z^(b) to this triple's part of g."""
    shells, angles, cast = tables.shells, tables.angles, g.dtype.type
    nz = np.uint64(angles.shape[2])
    start, t = np.uint64(tables.triples[triple, 2]), np.uint64(triple)
    for n in range(np.uint64(shells.shape[2])):
        y0 = cast(s[0] * shells[0, t, n] + s[1] * shells[1, t, n])
        y1 = cast(s[2] * shells[0, t, n])
        if order > 1:
            y0 += cast(s[3] * shells[2, t, n])
            y1 += cast(s[4] * shells[1, t, n])
            y2 = cast(s[5] * shells[0, t, n])
            for z in range(nz):
                g[start + n * nz + z] += y0 * angles[0, t, z] + y1 * angles[1, t, z] + y2 * angles[2, t, z]
        else:  # there is no table of second derivatives
            for z in range(nz):
                g[start + n * nz + z] += y0 * angles[0, t, z] + y1 * angles[1, t, z]


@inner_kernel
def cutoffs_of(tables, triple):
    """Cutoff functions of both pairs and their derivatives, f1, g1, k1, f2, g2, k2; float64."""
    p, q, f = tables.triples[triple, 0], tables.triples[triple, 1], tables.cutoffs
    return 1.0 * f[0, p], 1.0 * f[1, p], 1.0 * f[2, p], 1.0 * f[0, q], 1.0 * f[1, q], 1.0 * f[2, q]


@inner_kernel
def derivatives(order, s, tables, triple, d):
    """Derivatives of P from S into d (9,)."""
    f1, g1, k1, f2, g2, k2 = cutoffs_of(tables, triple)
    f, left, right = f1 * f2, g1 * f2, f1 * g2
    d[0] = 0.5 * s[1] * f + s[0] * left
    d[1] = 0.5 * s[1] * f + s[0] * right
    d[2] = s[2] * f
    if order > 1:
        quarter = 0.25 * s[3] * f
        d[3] = quarter + s[1] * left + s[0] * k1 * f2
        d[4] = quarter + s[1] * right + s[0] * f1 * k2
        d[5] = quarter + 0.5 * s[1] * (left + right) + s[0] * g1 * g2
        d[6] = 0.5 * s[4] * f + s[2] * left
        d[7] = 0.5 * s[4] * f + s[2] * right
        d[8] = s[5] * f


@inner_kernel
def derivatives_adjoint(order, d, tables, triple, s):
    """Adjoint of `derivatives`: from d (9,) into s (6,)."""
    f1, g1, k1, f2, g2, k2 = cutoffs_of(tables, triple)
    f, left, right = f1 * f2, g1 * f2, f1 * g2
    s[0] = d[0] * left + d[1] * right
    s[1] = 0.5 * (d[0] + d[1]) * f
    s[2] = d[2] * f
    if order > 1:
        s[0] += d[3] * k1 * f2 + d[4] * f1 * k2 + d[5] * g1 * g2
        s[1] += d[3] * left + d[4] * right + 0.5 * d[5] * (left + right)
        s[2] += d[6] * left + d[7] * right
        s[3] = 0.25 * f * (d[3] + d[4] + d[5])
        s[4] = 0.5 * f * (d[6] + d[7])
        s[5] = d[8] * f


@inner_kernel
def dot(a, b):
    """Scalar product, summed in float64."""
    total = 0.0
    for n in range(len(b)):
        total += np.float64(a[n]) * b[n]
    return total
