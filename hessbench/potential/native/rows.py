"""From the rows of one atom to the Hessian of its molecule and back.

`matrix` is the atom's flat (rows x rows) part of the Hessian. A row stands for a displacement of its
neighbour, Cartesian if near, along u if far, with the centre displaced the other way.
"""

import numpy as np

from hessbench.potential.native.compiler import kernel
from hessbench.potential.native.products import dot_n, triple_adjoint, triple_blocks


@kernel
def add_curvature(slot, functions, neighbors, tables, g, matrix, across, s, d, w, blocks):
    """Add g . K of one atom to its matrix; what a far neighbour's single row cannot hold goes to `across`.

    across[p] (I - u u') is the transverse curvature of far pair p, counted from the atom's first pair.
    """
    elements = functions.pair_of.shape[0]
    radial = len(functions.radial_shifts)
    angular = len(functions.angular_shifts) * len(functions.cosines)
    start, stop = neighbors.pair_start[slot], neighbors.pair_start[slot + 1]
    near = neighbors.near[slot]
    rows = neighbors.row_start[slot + 1] - neighbors.row_start[slot]
    for p in range(start, stop):
        part = g[neighbors.pair_element[p] * radial : (neighbors.pair_element[p] + 1) * radial]
        slope = dot_n(part, tables.radial[p, 0]) / tables.r[p]
        bend = dot_n(part, tables.radial[p, 1])
        if p - start >= near:
            row = 2 * near + p - start
            matrix[row * rows + row] += bend
            across[p - start] = slope
            continue
        row = 3 * (p - start)
        for x in range(3):
            for y in range(3):
                matrix[(row + x) * rows + row + y] += (bend - slope) * tables.u[p, x] * tables.u[p, y]
            matrix[(row + x) * rows + row + x] += slope
    triple = neighbors.triple_start[slot]
    for p in range(start, start + near):
        for q in range(p + 1, start + near):
            pair = functions.pair_of[neighbors.pair_element[p], neighbors.pair_element[q]]
            feature = elements * radial + pair * angular
            triple_blocks(tables, p, q, triple, g[feature : feature + angular], s, d, w, blocks)
            a, b = 3 * (p - start), 3 * (q - start)
            for x in range(3):
                for y in range(3):
                    matrix[(a + x) * rows + a + y] += blocks[0, x, y]
                    matrix[(b + x) * rows + b + y] += blocks[2, x, y]
                    matrix[(a + x) * rows + b + y] += blocks[1, x, y]
                    matrix[(b + y) * rows + a + x] += blocks[1, x, y]
            triple += 1


@kernel
def curvature_adjoint(slot, functions, neighbors, tables, matrix, across, g, s, d, w, blocks):
    """Adjoint of `add_curvature`: add to g (F) what matrix, symmetric, and across say."""
    elements = functions.pair_of.shape[0]
    radial = len(functions.radial_shifts)
    angular = len(functions.angular_shifts) * len(functions.cosines)
    cast = g.dtype.type
    start, stop = neighbors.pair_start[slot], neighbors.pair_start[slot + 1]
    near = neighbors.near[slot]
    rows = neighbors.row_start[slot + 1] - neighbors.row_start[slot]
    for p in range(start, stop):
        if p - start >= near:
            row = 2 * near + p - start
            bend, rest = np.float64(matrix[row * rows + row]), np.float64(across[p - start])
        else:
            row = 3 * (p - start)
            bend = trace = 0.0
            for x in range(3):
                trace += matrix[(row + x) * rows + row + x]
                for y in range(3):
                    bend += np.float64(matrix[(row + x) * rows + row + y]) * tables.u[p, x] * tables.u[p, y]
            rest = trace - bend
        along, turned = cast(bend), cast(rest / tables.r[p])
        feature = neighbors.pair_element[p] * radial
        for n in range(radial):
            g[feature + n] += along * tables.radial[p, 1, n] + turned * tables.radial[p, 0, n]
    triple = neighbors.triple_start[slot]
    for p in range(start, start + near):
        for q in range(p + 1, start + near):
            a, b = 3 * (p - start), 3 * (q - start)
            for x in range(3):
                for y in range(3):
                    blocks[0, x, y] = matrix[(a + x) * rows + a + y]
                    blocks[2, x, y] = matrix[(b + x) * rows + b + y]
                    blocks[1, x, y] = np.float64(2.0) * matrix[(a + x) * rows + b + y]
            pair = functions.pair_of[neighbors.pair_element[p], neighbors.pair_element[q]]
            feature = elements * radial + pair * angular
            triple_adjoint(tables, p, q, triple, blocks, s, d, w, g[feature : feature + angular])
            triple += 1


@kernel
def expand(slot, layout, neighbors, tables, matrix, across, hessian, side):
    """Add one atom's matrix to the Hessian (3 N, 3 N) of its molecule; side (3, 3 N) is scratch.

    Rows against rows of the neighbours first, their negative sums to the columns and rows of the centre.
    """
    i = layout.order[slot]
    first = layout.start[layout.molecule[i]]
    center = 3 * (i - first)
    start, stop = neighbors.pair_start[slot], neighbors.pair_start[slot + 1]
    near = neighbors.near[slot]
    rows = neighbors.row_start[slot + 1] - neighbors.row_start[slot]
    total = np.zeros((3, 3), hessian.dtype)
    for p in range(start, stop):
        jp = 3 * (neighbors.pair_atom[p] - first)
        p_near = p - start < near
        row = 3 * (p - start) if p_near else 2 * near + p - start
        _expand_rows(p, p_near, row, start, stop, near, rows, neighbors, tables, matrix, first, side)
        for x in range(3):
            line = hessian[jp + x]
            sums = np.zeros(3, hessian.dtype)
            for q in range(start, stop):
                jq = 3 * (neighbors.pair_atom[q] - first)
                for y in range(3):
                    value = side[x, jq + y]
                    line[jq + y] += value
                    sums[y] += value
            if not p_near:
                for y in range(3):
                    value = -across[p - start] * tables.u[p, x] * tables.u[p, y]
                    if x == y:
                        value += across[p - start]
                    line[jp + y] += value
                    sums[y] += value
            for y in range(3):
                line[center + y] -= sums[y]
                hessian[center + y, jp + x] -= sums[y]
                total[x, y] += sums[y]
    for x in range(3):
        for y in range(3):
            hessian[center + x, center + y] += total[x, y]


@kernel
def _expand_rows(p, p_near, row, start, stop, near, rows, neighbors, tables, matrix, first, side):
    """Cartesian rows of pair p against all neighbours, into side (3, 3 N)."""
    for x in range(3):
        if p_near:
            source, factor = (row + x) * rows, hessian_one(side)
        else:
            source, factor = row * rows, tables.u[p, x]
        for q in range(start, start + near):
            jq = 3 * (neighbors.pair_atom[q] - first)
            column = source + 3 * (q - start)
            for y in range(3):
                side[x, jq + y] = factor * matrix[column + y]
        for q in range(start + near, stop):
            jq = 3 * (neighbors.pair_atom[q] - first)
            value = factor * matrix[source + 2 * near + q - start]
            for y in range(3):
                side[x, jq + y] = value * tables.u[q, y]


@kernel
def hessian_one(array):
    """One, in the type of an array."""
    return array.dtype.type(1)


@kernel
def project(slot, layout, neighbors, tables, hessian, matrix, across, side):
    """Adjoint of `expand` for a symmetric adjoint Hessian (3 N, 3 N): overwrite matrix and across."""
    i = layout.order[slot]
    first = layout.start[layout.molecule[i]]
    center = 3 * (i - first)
    start, stop = neighbors.pair_start[slot], neighbors.pair_start[slot + 1]
    near = neighbors.near[slot]
    rows = neighbors.row_start[slot + 1] - neighbors.row_start[slot]
    for p in range(start, stop):
        jp = 3 * (neighbors.pair_atom[p] - first)
        p_near = p - start < near
        # side = rows of p against every neighbour, relative to the centre
        for x in range(3):
            line, middle = hessian[jp + x], hessian[center + x]
            for q in range(start, stop):
                jq = 3 * (neighbors.pair_atom[q] - first)
                for y in range(3):
                    side[x, jq + y] = line[jq + y] - middle[jq + y] - line[center + y] + middle[center + y]
        if p_near:
            for x in range(3):
                _project_row(
                    side[x], (3 * (p - start) + x) * rows, start, stop, near, neighbors, tables, first, matrix
                )
            continue
        trace = side[0, jp] + side[1, jp + 1] + side[2, jp + 2]
        ux, uy, uz = tables.u[p, 0], tables.u[p, 1], tables.u[p, 2]
        for q in range(start, stop):
            jq = 3 * (neighbors.pair_atom[q] - first)
            for y in range(3):
                side[0, jq + y] = ux * side[0, jq + y] + uy * side[1, jq + y] + uz * side[2, jq + y]
        row = 2 * near + p - start
        _project_row(side[0], row * rows, start, stop, near, neighbors, tables, first, matrix)
        across[p - start] = trace - matrix[row * rows + row]


@kernel
def _project_row(line, target, start, stop, near, neighbors, tables, first, matrix):
    """Take one row against all neighbours into the atom's matrix."""
    for q in range(start, start + near):
        jq = 3 * (neighbors.pair_atom[q] - first)
        column = target + 3 * (q - start)
        for y in range(3):
            matrix[column + y] = line[jq + y]
    for q in range(start + near, stop):
        jq = 3 * (neighbors.pair_atom[q] - first)
        value = line[jq] * tables.u[q, 0] + line[jq + 1] * tables.u[q, 1] + line[jq + 2] * tables.u[q, 2]
        matrix[target + 2 * near + q - start] = value
