"""g . K of one atom in Cartesian displacements of its neighbours, and its adjoint."""

import numpy as np

from hessbench.potential.ani.native.compiler import inner_kernel
from hessbench.potential.ani.native.contractions import dot, triple_adjoint, triple_blocks


@inner_kernel
def add_curvature(slot, functions, neighbors, tables, g, local, s, d, w, blocks):
    """Add g . K of the atom of a slot to `local` (3 P, 3 P); s, d, w and blocks are scratch."""
    radial = tables.radial.shape[2]
    start, stop, near = neighbors.pair_start[slot], neighbors.pair_start[slot + 1], neighbors.near[slot]
    for p in range(start, stop):
        feature = neighbors.pair_element[p] * radial
        part = g[feature : feature + radial]
        slope = dot(part, tables.radial[1, p]) / tables.r[p]
        bend = dot(part, tables.radial[2, p])
        row, u = 3 * (p - start), tables.u[p]
        for x in range(3):
            for y in range(3):
                local[row + x, row + y] += (bend - slope) * u[x] * u[y]
            local[row + x, row + x] += slope
    triple = neighbors.triple_start[slot]
    for p in range(start, start + near):
        for q in range(p + 1, start + near):
            feature = angular_feature(p, q, functions, neighbors)
            triple_blocks(tables, p, q, triple, g, feature, s, d, w, blocks)
            a, b = 3 * (p - start), 3 * (q - start)
            for x in range(3):
                for y in range(3):
                    local[a + x, a + y] += blocks[0, x, y]
                    local[b + x, b + y] += blocks[2, x, y]
                    local[a + x, b + y] += blocks[1, x, y]
                    local[b + y, a + x] += blocks[1, x, y]
            triple += 1


@inner_kernel
def curvature_adjoint(slot, functions, neighbors, tables, local, g, s, d, w, blocks):
    """Adjoint of `add_curvature`: add to g (F) what the symmetric `local` says."""
    radial = tables.radial.shape[2]
    cast = g.dtype.type
    start, stop, near = neighbors.pair_start[slot], neighbors.pair_start[slot + 1], neighbors.near[slot]
    for p in range(start, stop):
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
    triple = neighbors.triple_start[slot]
    for p in range(start, start + near):
        for q in range(p + 1, start + near):
            a, b = 3 * (p - start), 3 * (q - start)
            for x in range(3):
                for y in range(3):
                    blocks[0, x, y] = local[a + x, a + y]
                    blocks[2, x, y] = local[b + x, b + y]
                    blocks[1, x, y] = 2.0 * local[a + x, b + y]
            feature = angular_feature(p, q, functions, neighbors)
            triple_adjoint(tables, p, q, triple, blocks, s, d, w, g, feature)
            triple += 1


@inner_kernel
def angular_feature(p, q, functions, neighbors):
    """First feature of angles between neighbours of the elements of pairs p and q."""
    pair = functions.pair_of[neighbors.pair_element[p], neighbors.pair_element[q]]
    return functions.pair_of.shape[0] * functions.radial + pair * functions.angular
