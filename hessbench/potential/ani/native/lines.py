"""Elementwise work on the tangents of one layer: (rows, width), the rows of an atom one after the other.

`starts` are the first rows of the atoms, and the end. Slopes and curvatures are (atoms, all widths), the
layer's from column `place` on; a row is cut before it is looped over, as parts of a matrix do not vectorize.
"""

import numpy as np

from hessbench.potential.ani.native.compiler import inner_kernel


@inner_kernel
def permute(source, order, target, forwards):
    """Copy rows: target[n] = source[order[n]] forwards, target[order[n]] = source[n] backwards."""
    for row in range(len(order)):
        a = source[order[row]] if forwards else source[row]
        b = target[row] if forwards else target[order[row]]
        for n in range(len(a)):
            b[n] = a[n]


@inner_kernel
def add(values, total):
    """Add matrices."""
    for row in range(len(total)):
        a, b = values[row], total[row]
        for n in range(len(b)):
            b[n] += a[n]


@inner_kernel
def scale(starts, values, factors, place):
    """Multiply the rows of each atom with its factors."""
    scaled = np.empty_like(values)
    for atom in range(len(starts) - 1):
        factor = factors[atom][place : place + values.shape[1]]
        for row in range(starts[atom], starts[atom + 1]):
            a, b = values[row], scaled[row]
            for n in range(len(factor)):
                b[n] = a[n] * factor[n]
    return scaled


@inner_kernel
def reverse_layer(
    last, starts, tangents, slopes, curvatures, place, pulled, adjoint, slopes_adjoint, curvatures_adjoint
):
    """Turn V = M T of one layer, in `adjoint`, into the adjoint of T; add those of slopes and curvatures.

    `pulled` is what the layer above pulls back, and counts unless this one is the last.
    """
    two, end = adjoint.dtype.type(2), place + adjoint.shape[1]
    for atom in range(len(starts) - 1):
        slope, slope_adjoint = slopes[atom][place:end], slopes_adjoint[atom][place:end]
        curvature, curvature_adjoint = curvatures[atom][place:end], curvatures_adjoint[atom][place:end]
        for row in range(starts[atom], starts[atom + 1]):
            tangent, value = tangents[row], adjoint[row]
            if last:
                for n in range(len(slope)):
                    curvature_adjoint[n] += tangent[n] * value[n]
                    value[n] = two * curvature[n] * value[n]
                continue
            above = pulled[row]
            for n in range(len(slope)):
                curvature_adjoint[n] += tangent[n] * value[n]
                slope_adjoint[n] += tangent[n] * above[n]
                value[n] = two * curvature[n] * value[n] + slope[n] * above[n]
