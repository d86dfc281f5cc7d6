"""g . K of one atom in Cartesian displacements of its neighbours, and its adjoint."""

import numpy as np

from hessbench.potential.ani.native.compiler import inner_kernel
from hessbench.potential.ani.native.contractions import (
    contract,
    derivatives,
    derivatives_adjoint,
    dot,
    spread,
)


@inner_kernel
def add_curvature(slot, neighbors, tables, g, local, s, d):
    """Add g . K of the atom of a slot to `local` (3 P, 3 P); s (6,) and d (9,) are scratch."""
    radial, start = tables.radial.shape[2], neighbors.pair_start[slot]
    for p in range(start, neighbors.pair_start[slot + 1]):
        feature = neighbors.pair_element[p] * radial
        part = g[feature : feature + radial]
        slope = dot(part, tables.radial[1, p]) / tables.r[p]
        bend = dot(part, tables.radial[2, p])
        row, u = 3 * (p - start), tables.u[p]
        for x in range(3):
            for y in range(3):
                local[row + x, row + y] += (bend - slope) * u[x] * u[y]
            local[row + x, row + x] += slope
    for triple in range(neighbors.triple_start[slot], neighbors.triple_start[slot + 1]):
        contract(2, g, tables, triple, s)
        derivatives(2, s, tables, triple, d)
        _add_triple(d, tables, triple, start, local)


@inner_kernel
def curvature_adjoint(slot, neighbors, tables, local, g, s, d):
    """Adjoint of `add_curvature`: add to g (F) what the symmetric `local` says."""
    radial, start = tables.radial.shape[2], neighbors.pair_start[slot]
    cast = g.dtype.type
    for p in range(start, neighbors.pair_start[slot + 1]):
        row, u = 3 * (p - start), tables.u[p]
        bend = rest = np.float64(0.0)
        for x in range(3):
            rest += local[row + x, row + x]
            for y in range(3):
                bend += np.float64(local[row + x, row + y]) * u[x] * u[y]
        along, turned = cast(bend), cast((rest - bend) / tables.r[p])
        feature = neighbors.pair_element[p] * radial
        for n in range(radial):
            g[feature + n] += along * tables.radial[2, p, n] + turned * tables.radial[1, p, n]
    for triple in range(neighbors.triple_start[slot], neighbors.triple_start[slot + 1]):
        _triple_adjoint(local, tables, triple, start, d)
        derivatives_adjoint(2, d, tables, triple, s)
        spread(2, s, tables, triple, g)


@inner_kernel
def _add_triple(d, tables, triple, first, local):
    """Second derivatives of P in the coordinates of both neighbours; `first` is the atom's first pair.

    Hii = Pii u u' + (Pic - Pc/r) (u w' + w u') + Pcc w w' + (Pi/r - c Pc/r^2) (I - u u'),
    H12 = P12 u1 u2' + P1c u1 w2' + P2c w1 u2' + Pcc w1 w2' + m (I - u1 u1' - u2 u2' + c u1 u2').
    """
    p, q, u, w = tables.triples[triple, 0], tables.triples[triple, 1], tables.u, tables.turning[triple]
    r1, r2, c = np.float64(tables.r[p]), np.float64(tables.r[q]), np.float64(tables.c[triple])
    a, b, pc, pcc = 3 * (p - first), 3 * (q - first), d[2], d[8]
    a1, a2 = d[6] - pc / r1, d[7] - pc / r2
    b1, b2 = (d[0] - c * pc / r1) / r1, (d[1] - c * pc / r2) / r2
    m = pc / (r1 * r2)
    e1, e2, e12 = d[3] - b1, d[4] - b2, d[5] + c * m
    for x in range(3):
        u1, u2, w1, w2 = np.float64(u[p, x]), np.float64(u[q, x]), np.float64(w[0, x]), np.float64(w[1, x])
        left1, left2, left12 = e1 * u1 + a1 * w1, e2 * u2 + a2 * w2, e12 * u1 + d[7] * w1 - m * u2
        right1, right2, right12 = a1 * u1 + pcc * w1, a2 * u2 + pcc * w2, d[6] * u1 + pcc * w1
        for y in range(3):
            unit = 1.0 if x == y else 0.0
            both = left12 * u[q, y] + right12 * w[1, y] - m * u1 * u[p, y] + m * unit
            local[a + x, a + y] += left1 * u[p, y] + right1 * w[0, y] + b1 * unit
            local[b + x, b + y] += left2 * u[q, y] + right2 * w[1, y] + b2 * unit
            local[a + x, b + y] += both
            local[b + y, a + x] += both


@inner_kernel
def _triple_adjoint(local, tables, triple, first, d):
    """Adjoint of `_add_triple`: from the symmetric `local` into d (9,)."""
    p, q, u, w = tables.triples[triple, 0], tables.triples[triple, 1], tables.u, tables.turning[triple]
    r1, r2, c = np.float64(tables.r[p]), np.float64(tables.r[q]), np.float64(tables.c[triple])
    a, b = 3 * (p - first), 3 * (q - first)
    q1 = q2 = x1 = x2 = y1 = y2 = t1 = t2 = tm = 0.0
    uu = uw = wu = ww = m11 = m22 = 0.0
    for x in range(3):
        t1 += local[a + x, a + x]
        t2 += local[b + x, b + x]
        tm += 2.0 * local[a + x, b + x]
        a1 = a2 = b1 = b2 = mu1 = mu2 = mw2 = 0.0
        for y in range(3):
            u1, u2, w1, w2 = np.float64(u[p, y]), np.float64(u[q, y]), w[0, y], w[1, y]
            both = 2.0 * local[a + x, b + y]
            a1 += local[a + x, a + y] * u1
            b1 += local[a + x, a + y] * w1
            a2 += local[b + x, b + y] * u2
            b2 += local[b + x, b + y] * w2
            mu1 += both * u1
            mu2 += both * u2
            mw2 += both * w2
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
