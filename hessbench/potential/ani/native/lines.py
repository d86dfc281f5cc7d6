"""Tangents of one chunk and element, one line per kept row of the Jacobian, layer by layer.

`starts` are the first rows of its atoms. `tangents` holds all layers of a line side by side, `total` numbers;
slopes and curvatures hold those of an atom likewise, from `state` on.
"""

from hessbench.potential.ani.native.activations import multiply
from hessbench.potential.ani.native.blas import Matrix, gemm_nt, gemm_tn
from hessbench.potential.ani.native.compiler import inner_kernel


@inner_kernel
def first_layer(starts, start, columns, radial, width, weight_start, jacobian, weights, packed):
    """Packed Jacobian of one chunk and element times its first layer, block by block."""
    elements = len(weight_start)
    for block in range(2 * elements):
        row, rows = starts[block], starts[block + 1] - starts[block]
        used = columns if block < elements else radial
        if rows > 0:
            weight = Matrix(weights, weight_start[block % elements], columns)
            result = Matrix(packed, row * width, width)
            gemm_nt(rows, width, used, Matrix(jacobian, start, used), weight, 0.0, result)
        start += rows * used


@inner_kernel
def first_layer_adjoint(starts, start, columns, radial, width, weight_start, jacobian, packed, weights):
    """Add the gradient of the first layer; `packed` is the adjoint of `first_layer`'s result."""
    elements = len(weight_start)
    for block in range(2 * elements):
        row, rows = starts[block], starts[block + 1] - starts[block]
        used = columns if block < elements else radial
        if rows > 0:
            adjoint = Matrix(packed, row * width, width)
            weight = Matrix(weights, weight_start[block % elements], columns)
            gemm_tn(width, used, rows, adjoint, Matrix(jacobian, start, used), 1.0, weight)
        start += rows * used


@inner_kernel
def spread_rows(starts, row_block, width, total, packed, slopes, state, tangents, base, scaled):
    """Bring the first layer's tangents from blocks to atoms; also times the slopes, into `scaled`."""
    for atom in range(len(starts) - 1):
        factor = slopes[state + atom * total : state + atom * total + width]
        for row in range(starts[atom] - starts[0], starts[atom + 1] - starts[0]):
            source = packed[row_block[row] * width : (row_block[row] + 1) * width]
            target = tangents[base + row * total : base + row * total + width]
            product = scaled[row * width : (row + 1) * width]
            for n in range(width):
                value = source[n]
                target[n] = value
                product[n] = value * factor[n]


@inner_kernel
def gather_rows(row_block, width, total, adjoint, packed):
    """Bring the first layer's adjoints from atoms to blocks."""
    for row in range(len(row_block)):
        source = adjoint[row * total : row * total + width]
        target = packed[row_block[row] * width : (row_block[row] + 1) * width]
        for n in range(width):
            target[n] = source[n]


@inner_kernel
def scale_rows(starts, width, total, tangents, base, slopes, state, scaled):
    """One layer's tangents times its slopes, contiguous in `scaled`."""
    for atom in range(len(starts) - 1):
        slope = slopes[state + atom * total : state + atom * total + width]
        for row in range(starts[atom] - starts[0], starts[atom + 1] - starts[0]):
            at = base + row * total
            multiply(tangents[at : at + width], slope, scaled[row * width : (row + 1) * width])


@inner_kernel
def reverse_rows(
    last, starts, width, total, tangents, base, slopes, curvatures, state, above, adjoint, place,
    slopes_adjoint, curvatures_adjoint,
):  # fmt: skip
    """Turn V = M T of one layer, in `adjoint`, into the adjoint of T; add those of slope and curvature.

    `above` is what the layer above pulls back, and counts unless this one is the last.
    """
    two = adjoint.dtype.type(2)
    for atom in range(len(starts) - 1):
        own = state + atom * total
        slope, curvature = slopes[own : own + width], curvatures[own : own + width]
        slope_adjoint = slopes_adjoint[own : own + width]
        curvature_adjoint = curvatures_adjoint[own : own + width]
        for row in range(starts[atom] - starts[0], starts[atom + 1] - starts[0]):
            tangent = tangents[base + row * total : base + row * total + width]
            value = adjoint[row * total + place : row * total + place + width]
            if last:
                for n in range(width):
                    curvature_adjoint[n] += tangent[n] * value[n]
                    value[n] = two * curvature[n] * value[n]
                continue
            pulled = above[row * width : (row + 1) * width]
            for n in range(width):
                curvature_adjoint[n] += tangent[n] * value[n]
                slope_adjoint[n] += tangent[n] * pulled[n]
                value[n] = two * curvature[n] * value[n] + slope[n] * pulled[n]
