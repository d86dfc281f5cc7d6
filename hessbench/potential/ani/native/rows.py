"""From the kept rows of one atom to the Hessian of its molecule and back.

A row stands for a displacement of one of the atom's P neighbours, Cartesian if near, along u if far, with the
centre displaced the other way; `local` (3 P, 3 P) is its part of the Hessian in Cartesian displacements.
"""

from hessbench.potential.ani.native.compiler import inner_kernel


@inner_kernel
def add_centered(center, atoms, local, hessian):
    """Add the symmetric `local` to the Hessian (3 N, 3 N); the centre gets the negative sums."""
    c = 3 * center
    for p in range(len(atoms)):
        for x in range(3):
            source, own = local[3 * p + x], 3 * atoms[p] + x
            target = hessian[own]
            s0 = s1 = s2 = source.dtype.type(0)
            for q in range(len(atoms)):
                j = 3 * atoms[q]
                v0, v1, v2 = source[3 * q], source[3 * q + 1], source[3 * q + 2]
                target[j] += v0
                target[j + 1] += v1
                target[j + 2] += v2
                s0 += v0
                s1 += v1
                s2 += v2
            for y, total in enumerate((s0, s1, s2)):
                hessian[own, c + y] -= total
                hessian[c + y, own] -= total
                hessian[c + x, c + y] += total


@inner_kernel
def take_centered(center, atoms, hessian, local):
    """Adjoint of `add_centered` for a symmetric adjoint Hessian: overwrite `local`."""
    c = 3 * center
    for p in range(len(atoms)):
        for x in range(3):
            own, middle, target = hessian[3 * atoms[p] + x], hessian[c + x], local[3 * p + x]
            for q in range(len(atoms)):
                for y in range(3):
                    j = 3 * atoms[q] + y
                    target[3 * q + y] = own[j] - middle[j] - own[c + y] + middle[c + y]


@inner_kernel
def fill_displacements(slot, neighbors, tables, displacements):
    """Displacements (rows, 3 P) that the kept rows of one atom stand for.

    A row that was left out is a combination of those kept; they take its displacement over.
    """
    start, begin, near = neighbors.pair_start[slot], neighbors.row_start[slot], neighbors.near[slot]
    rows = len(displacements)
    displacements[:] = 0
    for row in range(rows):
        full = neighbors.row_full[begin + row]
        if full < 3 * near:
            displacements[row, full] = 1
        else:
            p = full - 2 * near
            displacements[row, 3 * p : 3 * p + 3] = tables.u[start + p]
        for b in range(3):
            lost = neighbors.lost[slot, b]
            if lost >= 0:
                displacements[row, lost] = neighbors.combination[3 * begin + b * rows + row]
