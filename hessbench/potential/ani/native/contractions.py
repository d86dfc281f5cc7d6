"""Scalars of a triple: g contracted with the tables, the derivatives of P, and the adjoints of both.

P = sum_nz g_nz h_n((r1 + r2) / 2) A_z(c) f(r1) f(r2); S_ab = sum_nz g_nz h_n^(a) A_z^(b).
Order of the scalars everywhere: S = 00, 10, 01, 20, 11, 02; P = 1, 2, c, 11, 22, 12, 1c, 2c, cc.
"""

import numpy as np

from hessbench.potential.ani.native.compiler import inner_kernel


@inner_kernel
def contract(order, g, base, shells, angles, t, s):
    """S_ab, a + b <= order, of triple t into s (6,); its features start at `base` of the gradient g."""
    nz = np.uint64(angles.shape[2])  # unsigned indices vectorize, signed ones may count from the end
    start, t = np.uint64(base), np.uint64(t)
    s[:] = 0.0
    for n in range(np.uint64(shells.shape[2])):
        y0 = y1 = y2 = shells.dtype.type(0)
        for z in range(nz):
            weight = g[start + n * nz + z]
            y0 += weight * angles[0, t, z]
            y1 += weight * angles[1, t, z]
            y2 += weight * angles[2, t, z]
        s[0] += shells[0, t, n] * y0
        s[1] += shells[1, t, n] * y0
        s[2] += shells[0, t, n] * y1
        if order > 1:
            s[3] += shells[2, t, n] * y0
            s[4] += shells[1, t, n] * y1
            s[5] += shells[0, t, n] * y2


@inner_kernel
def spread(order, s, shells, angles, t, g, base):
    """Adjoint of `contract`: add sum_ab S_ab h_n^(a) A_z^(b) to g from `base` on."""
    cast = g.dtype.type
    nz = np.uint64(angles.shape[2])
    start, t = np.uint64(base), np.uint64(t)
    for n in range(np.uint64(shells.shape[2])):
        y0 = cast(s[0] * shells[0, t, n] + s[1] * shells[1, t, n])
        y1 = cast(s[2] * shells[0, t, n])
        y2 = cast(0.0)
        if order > 1:
            y0 += cast(s[3] * shells[2, t, n])
            y1 += cast(s[4] * shells[1, t, n])
            y2 = cast(s[5] * shells[0, t, n])
        for z in range(nz):
            g[start + n * nz + z] += y0 * angles[0, t, z] + y1 * angles[1, t, z] + y2 * angles[2, t, z]


@inner_kernel
def derivatives(order, s, cutoffs, p, q, d):
    """Derivatives of P from S into d (9,)."""
    f1, g1, k1 = np.float64(cutoffs[0, p]), np.float64(cutoffs[1, p]), np.float64(cutoffs[2, p])
    f2, g2, k2 = np.float64(cutoffs[0, q]), np.float64(cutoffs[1, q]), np.float64(cutoffs[2, q])
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
def derivatives_adjoint(order, d, cutoffs, p, q, s):
    """Adjoint of `derivatives`: from d (9,) into s (6,)."""
    f1, g1, k1 = np.float64(cutoffs[0, p]), np.float64(cutoffs[1, p]), np.float64(cutoffs[2, p])
    f2, g2, k2 = np.float64(cutoffs[0, q]), np.float64(cutoffs[1, q]), np.float64(cutoffs[2, q])
    f, left, right = f1 * f2, g1 * f2, f1 * g2
    s[0] = d[0] * left + d[1] * right
    s[1] = 0.5 * (d[0] + d[1]) * f
    s[2] = d[2] * f
    s[3] = s[4] = s[5] = 0.0
    if order > 1:
        s[0] += d[3] * k1 * f2 + d[4] * f1 * k2 + d[5] * g1 * g2
        s[1] += d[3] * left + d[4] * right + 0.5 * d[5] * (left + right)
        s[2] += d[6] * left + d[7] * right
        s[3] = 0.25 * f * (d[3] + d[4] + d[5])
        s[4] = 0.5 * f * (d[6] + d[7])
        s[5] = d[8] * f


@inner_kernel
def blocks_of(d, r1, r2, c, u, p, q, w, blocks):
    """Second derivatives of P in the coordinates of neighbours p and q: 11, 12, 22 into blocks (3, 3, 3).

    Hii = Pii u u' + (Pic - Pc/r) (u w' + w u') + Pcc w w' + (Pi/r - c Pc/r^2) (I - u u'),
    H12 = P12 u1 u2' + P1c u1 w2' + P2c w1 u2' + Pcc w1 w2' + m (I - u1 u1' - u2 u2' + c u1 u2').
    """
    pc, pcc = d[2], d[8]
    a1, a2 = d[6] - pc / r1, d[7] - pc / r2
    b1, b2 = (d[0] - c * pc / r1) / r1, (d[1] - c * pc / r2) / r2
    m = pc / (r1 * r2)
    e1, e2, e12 = d[3] - b1, d[4] - b2, d[5] + c * m
    for x in range(3):
        u1, u2, w1, w2 = np.float64(u[p, x]), np.float64(u[q, x]), w[0, x], w[1, x]
        left1, left2, left12 = e1 * u1 + a1 * w1, e2 * u2 + a2 * w2, e12 * u1 + d[7] * w1 - m * u2
        right1, right2, right12 = a1 * u1 + pcc * w1, a2 * u2 + pcc * w2, d[6] * u1 + pcc * w1
        middle = m * u1
        for y in range(3):
            blocks[0, x, y] = left1 * u[p, y] + right1 * w[0, y]
            blocks[1, x, y] = left12 * u[q, y] + right12 * w[1, y] - middle * u[p, y]
            blocks[2, x, y] = left2 * u[q, y] + right2 * w[1, y]
        blocks[0, x, x] += b1
        blocks[1, x, x] += m
        blocks[2, x, x] += b2


@inner_kernel
def blocks_adjoint(blocks, r1, r2, c, u, p, q, w, d):
    """Adjoint of `blocks_of`: from blocks (3, 3, 3) into d (9,)."""
    q1 = q2 = x1 = x2 = y1 = y2 = t1 = t2 = tm = 0.0
    uu = uw = wu = ww = m11 = m22 = 0.0
    for x in range(3):
        t1 += blocks[0, x, x]
        tm += blocks[1, x, x]
        t2 += blocks[2, x, x]
        a1 = a2 = b1 = b2 = mu1 = mu2 = mw2 = 0.0
        for y in range(3):
            u1, u2, w1, w2 = np.float64(u[p, y]), np.float64(u[q, y]), w[0, y], w[1, y]
            a1 += blocks[0, x, y] * u1
            b1 += blocks[0, x, y] * w1
            a2 += blocks[2, x, y] * u2
            b2 += blocks[2, x, y] * w2
            mu1 += blocks[1, x, y] * u1
            mu2 += blocks[1, x, y] * u2
            mw2 += blocks[1, x, y] * w2
        u1, u2, w1, w2 = np.float64(u[p, x]), np.float64(u[q, x]), w[0, x], w[1, x]
        q1 += u1 * a1
        q2 += u2 * a2
        x1 += u1 * b1 + w1 * a1
        x2 += u2 * b2 + w2 * a2
        y1 += w1 * b1
        y2 += w2 * b2
        uu += u1 * mu2
        uw += u1 * mw2
        wu += w1 * mu2
        ww += w1 * mw2
        m11 += u1 * mu1
        m22 += u2 * mu2
    d[0] = (t1 - q1) / r1
    d[1] = (t2 - q2) / r2
    d[2] = (
        -x1 / r1 - c * (t1 - q1) / (r1 * r1)
        - x2 / r2 - c * (t2 - q2) / (r2 * r2)
        + (tm - m11 - m22 + c * uu) / (r1 * r2)
    )  # fmt: skip
    d[3], d[4], d[5] = q1, q2, uu
    d[6], d[7] = x1 + uw, x2 + wu
    d[8] = y1 + y2 + ww


@inner_kernel
def triple_blocks(tables, p, q, triple, g, base, s, d, w, blocks):
    """Second derivatives of a triple weighted by its part of g, into blocks (3, 3, 3); s, d, w: scratch."""
    contract(2, g, base, tables.shells, tables.angles, triple, s)
    derivatives(2, s, tables.cutoffs, p, q, d)
    c = np.float64(tables.c[triple])
    cosine_gradients(tables.u, tables.r, p, q, c, w)
    blocks_of(d, np.float64(tables.r[p]), np.float64(tables.r[q]), c, tables.u, p, q, w, blocks)


@inner_kernel
def triple_adjoint(tables, p, q, triple, blocks, s, d, w, g, base):
    """Adjoint of `triple_blocks`: add to this triple's part of g what blocks (3, 3, 3) say."""
    c = np.float64(tables.c[triple])
    cosine_gradients(tables.u, tables.r, p, q, c, w)
    blocks_adjoint(blocks, np.float64(tables.r[p]), np.float64(tables.r[q]), c, tables.u, p, q, w, d)
    derivatives_adjoint(2, d, tables.cutoffs, p, q, s)
    spread(2, s, tables.shells, tables.angles, triple, g, base)


@inner_kernel
def cosine_gradients(u, r, p, q, c, w):
    """w1 = (u2 - c u1) / r1 and w2 of pairs p and q, into w (2, 3)."""
    for x in range(3):
        w[0, x] = (u[q, x] - c * u[p, x]) / r[p]
        w[1, x] = (u[p, x] - c * u[q, x]) / r[q]


@inner_kernel
def dot(a, b):
    """Scalar product, summed in float64."""
    total = 0.0
    for n in range(len(b)):
        total += np.float64(a[n]) * b[n]
    return total
