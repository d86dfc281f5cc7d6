"""g . K of one atom in the rows of its neighbours, and its adjoint."""

import numpy as np

from hessbench.potential.ani.native.compiler import inner_kernel
from hessbench.potential.ani.native.contractions import triple_adjoint, triple_blocks
from hessbench.potential.ani.native.terms import dot_n


@inner_kernel
def add_curvature(
    start, stop, triple, near, size, elements, pair_of, tables, g, matrix, across, s, d, w, blocks
):
    """Add g . K of the pairs start to stop - 1 of one atom to its matrix (size x size).

    What a far neighbour's single row cannot hold goes to `across`: across[p] (I - u u').
    """
    radial = tables.radial.shape[2]
    angular = tables.shells.shape[2] * tables.angles.shape[2]
    base = len(pair_of) * radial
    for p in range(start, stop):
        part = g[elements[p] * radial : (elements[p] + 1) * radial]
        slope = dot_n(part, tables.radial[p, 0]) / tables.r[p]
        bend = dot_n(part, tables.radial[p, 1])
        if p - start >= near:
            row = 2 * near + p - start
            matrix[row * size + row] += bend
            across[p - start] = slope
            continue
        row = 3 * (p - start)
        u = tables.u[p]
        for x in range(3):
            for y in range(3):
                matrix[(row + x) * size + row + y] += (bend - slope) * u[x] * u[y]
            matrix[(row + x) * size + row + x] += slope
    for p in range(start, start + near):
        for q in range(p + 1, start + near):
            feature = base + pair_of[elements[p], elements[q]] * angular
            triple_blocks(tables, p, q, triple, g, feature, s, d, w, blocks)
            a, b = 3 * (p - start), 3 * (q - start)
            for x in range(3):
                for y in range(3):
                    matrix[(a + x) * size + a + y] += blocks[0, x, y]
                    matrix[(b + x) * size + b + y] += blocks[2, x, y]
                    matrix[(a + x) * size + b + y] += blocks[1, x, y]
                    matrix[(b + y) * size + a + x] += blocks[1, x, y]
            triple += 1


@inner_kernel
def curvature_adjoint(
    start, stop, triple, near, size, elements, pair_of, tables, matrix, across, g, s, d, w, blocks
):
    """Adjoint of `add_curvature`: add to g (F) what matrix, symmetric, and across say."""
    radial = tables.radial.shape[2]
    angular = tables.shells.shape[2] * tables.angles.shape[2]
    base = len(pair_of) * radial
    cast = g.dtype.type
    for p in range(start, stop):
        if p - start >= near:
            row = 2 * near + p - start
            bend, rest = np.float64(matrix[row * size + row]), np.float64(across[p - start])
        else:
            row = 3 * (p - start)
            u = tables.u[p]
            bend = rest = np.float64(0.0)
            for x in range(3):
                rest += matrix[(row + x) * size + row + x]
                for y in range(3):
                    bend += np.float64(matrix[(row + x) * size + row + y]) * u[x] * u[y]
            rest -= bend
        along, turned = cast(bend), cast(rest / tables.r[p])
        feature = elements[p] * radial
        for n in range(radial):
            g[feature + n] += along * tables.radial[p, 1, n] + turned * tables.radial[p, 0, n]
    for p in range(start, start + near):
        for q in range(p + 1, start + near):
            a, b = 3 * (p - start), 3 * (q - start)
            for x in range(3):
                for y in range(3):
                    blocks[0, x, y] = matrix[(a + x) * size + a + y]
                    blocks[2, x, y] = matrix[(b + x) * size + b + y]
                    blocks[1, x, y] = 2.0 * matrix[(a + x) * size + b + y]
            feature = base + pair_of[elements[p], elements[q]] * angular
            triple_adjoint(tables, p, q, triple, blocks, s, d, w, g, feature)
            triple += 1
