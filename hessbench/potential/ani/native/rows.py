"""From the kept rows of one atom to the Hessian of its molecule and back.

`reduced` is the atom's flat (rows x rows) part of the Hessian in kept rows, `matrix` the same in all rows,
three of a near and one of a far neighbour. A row stands for a displacement of its neighbour, Cartesian if
near, along u if far, with the centre displaced the other way.
"""

import numpy as np

from hessbench.potential.ani.native.compiler import inner_kernel


@inner_kernel
def unfold(rows, size, full, lost, combination, reduced, scratch, matrix):
    """Put the rows left out back: matrix (size x size) from reduced (rows x rows); scratch holds rows."""
    for r in range(rows):
        target = full[r] * size
        for c in range(rows):
            matrix[target + full[c]] = reduced[r * rows + c]
    for a in range(3):
        if lost[a] < 0:
            continue
        for c in range(rows):
            scratch[c] = 0
        for r in range(rows):
            factor = scratch.dtype.type(combination[a * rows + r])
            if factor != 0:
                for c in range(rows):
                    scratch[c] += factor * reduced[r * rows + c]
        for c in range(rows):
            matrix[lost[a] * size + full[c]] = scratch[c]
            matrix[full[c] * size + lost[a]] = scratch[c]
        for b in range(3):
            if lost[b] >= 0:
                total = 0.0
                for c in range(rows):
                    total += scratch[c] * combination[b * rows + c]
                matrix[lost[a] * size + lost[b]] = total


@inner_kernel
def fold(rows, size, full, lost, combination, matrix, scratch, reduced):
    """Adjoint of `unfold` for a symmetric matrix."""
    for r in range(rows):
        source = full[r] * size
        for c in range(rows):
            reduced[r * rows + c] = matrix[source + full[c]]
    for a in range(3):
        if lost[a] < 0:
            continue
        for c in range(rows):
            total = np.float64(matrix[lost[a] * size + full[c]])
            for b in range(3):
                if lost[b] >= 0:
                    total += 0.5 * matrix[lost[a] * size + lost[b]] * combination[b * rows + c]
            scratch[c] = total
        for r in range(rows):
            factor = scratch.dtype.type(combination[a * rows + r])
            if factor != 0:
                for c in range(rows):
                    reduced[r * rows + c] += factor * scratch[c]
                    reduced[c * rows + r] += factor * scratch[c]


@inner_kernel
def expand(i, atoms, near, u, first, size, matrix, across, hessian, width, side):
    """Add one atom's matrix (size x size) to the flat Hessian (width x width) of its molecule.

    i is the atom, `atoms` and u its neighbours,
    `first` the first atom of the molecule; side (3 width) is scratch.
    Rows against rows of the neighbours first, their negative sums to the columns and rows of the centre.
    """
    center = 3 * (i - first)
    for p in range(len(atoms)):
        jp = 3 * (atoms[p] - first)
        for x in range(3):
            line = side[x * width : (x + 1) * width]
            if p < near:
                source, factor = (3 * p + x) * size, line.dtype.type(1)
            else:
                source, factor = (2 * near + p) * size, u[p, x]
            for q in range(len(atoms)):
                jq = 3 * (atoms[q] - first)
                if q < near:
                    for y in range(3):
                        line[jq + y] = factor * matrix[source + 3 * q + y]
                else:
                    value = factor * matrix[source + 2 * near + q]
                    for y in range(3):
                        line[jq + y] = value * u[q, y]
            if p >= near:
                for y in range(3):
                    line[jp + y] -= across[p] * u[p, x] * u[p, y]
                line[jp + x] += across[p]
            target = (jp + x) * width
            s0 = s1 = s2 = line.dtype.type(0)
            for q in range(len(atoms)):
                jq = 3 * (atoms[q] - first)
                s0 += line[jq]
                s1 += line[jq + 1]
                s2 += line[jq + 2]
                for y in range(3):
                    hessian[target + jq + y] += line[jq + y]
            hessian[target + center] -= s0
            hessian[target + center + 1] -= s1
            hessian[target + center + 2] -= s2
            hessian[center * width + jp + x] -= s0
            hessian[(center + 1) * width + jp + x] -= s1
            hessian[(center + 2) * width + jp + x] -= s2
            hessian[(center + x) * width + center] += s0
            hessian[(center + x) * width + center + 1] += s1
            hessian[(center + x) * width + center + 2] += s2


@inner_kernel
def project(i, atoms, near, u, first, size, hessian, width, side, matrix, across):
    """Adjoint of `expand` for a symmetric adjoint Hessian: overwrite matrix and across."""
    center = 3 * (i - first)
    for p in range(len(atoms)):
        jp = 3 * (atoms[p] - first)
        for x in range(3):
            line = side[x * width : (x + 1) * width]
            own, middle = (jp + x) * width, (center + x) * width
            for q in range(len(atoms)):
                jq = 3 * (atoms[q] - first)
                for y in range(3):
                    line[jq + y] = (
                        hessian[own + jq + y] - hessian[middle + jq + y]
                        - hessian[own + center + y] + hessian[middle + center + y]
                    )  # fmt: skip
        if p < near:
            for x in range(3):
                _take(side, x * width, atoms, near, u, first, matrix, (3 * p + x) * size)
            continue
        trace = side[jp] + side[width + jp + 1] + side[2 * width + jp + 2]
        for q in range(len(atoms)):
            jq = 3 * (atoms[q] - first)
            for y in range(3):
                side[jq + y] = (
                    u[p, 0] * side[jq + y]
                    + u[p, 1] * side[width + jq + y]
                    + u[p, 2] * side[2 * width + jq + y]
                )
        row = (2 * near + p) * size
        _take(side, 0, atoms, near, u, first, matrix, row)
        across[p] = trace - matrix[row + 2 * near + p]


@inner_kernel
def _take(side, at, atoms, near, u, first, matrix, target):
    """Take one Cartesian line against all neighbours into a row of the atom's matrix."""
    for q in range(len(atoms)):
        jq = at + 3 * (atoms[q] - first)
        if q < near:
            for y in range(3):
                matrix[target + 3 * q + y] = side[jq + y]
        else:
            value = side[jq] * u[q, 0] + side[jq + 1] * u[q, 1] + side[jq + 2] * u[q, 2]
            matrix[target + 2 * near + q] = value
