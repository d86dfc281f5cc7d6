"""The Hessian part of the atomic networks, chunk by chunk: sum_l T_l D_l T_l' forwards and in reverse.

T_l = dz_l/dx holds one line per row of the packed Jacobian, all hidden layers side by side. Weights and
their gradients are flat, laid out by `Shape`; slopes and curvatures are flat, (atoms, all widths) by element.
"""

import numpy as np

from hessbench.potential.native.blas import gemm
from hessbench.potential.native.compiler import kernel
from hessbench.potential.native.rows import add_curvature, curvature_adjoint, expand, project


@kernel
def gather_first(layout, functions, shape, features, weights, first_start, gathered):
    """Pack the first layers: for each set of elements and pair of elements the columns of its block."""
    _copy_first(layout, functions, shape, features, weights, first_start, gathered, False)


@kernel
def scatter_first(layout, functions, shape, features, weights, first_start, gathered):
    """Adjoint of `gather_first`: add the packed gradients to the first layers."""
    _copy_first(layout, functions, shape, features, weights, first_start, gathered, True)


@kernel
def _copy_first(layout, functions, shape, features, weights, first_start, gathered, back):
    sets, elements = layout.set_elements.shape
    radial = len(functions.radial_shifts)
    angular = len(functions.angular_shifts) * len(functions.cosines)
    for index in range(sets):
        columns = radial + angular * layout.set_size[index]
        for e in range(elements):
            for t in range(elements):
                if layout.set_elements[index, e] < 0 or layout.set_elements[index, t] < 0:
                    continue
                packed = first_start[index, e, t]
                for unit in range(shape.width[e, 0]):
                    row = shape.weight[e, 0] + unit * features
                    _copy(weights, row + t * radial, gathered, packed, radial, back)
                    packed += radial
                    for other in range(elements):
                        if layout.set_elements[index, other] >= 0:
                            source = row + elements * radial + functions.pair_of[t, other] * angular
                            _copy(weights, source, gathered, packed, angular, back)
                            packed += angular
                if packed != first_start[index, e, t] + shape.width[e, 0] * columns:
                    raise AssertionError("packed weights out of step")


@kernel
def _copy(weights, at, gathered, packed, length, back):
    if back:
        for n in range(length):
            weights[at + n] += gathered[packed + n]
    else:
        for n in range(length):
            gathered[packed + n] = weights[at + n]


@kernel
def forward(
    first, last, keep, layout, functions, neighbors, tables, jacobian, shape, first_start, state_start,
    tangent_start, slopes, curvatures, weights, gathered, gradient, tangents, hessians,
):  # fmt: skip
    """Hessians of chunks first to last - 1.

    With `keep` the tangents of every chunk have a place of their own, for `reverse`; without, they share one.
    """
    elements = layout.chunk_slots.shape[1]
    rows_most, width_most, first_most, atom_rows, molecule_most = _sizes(
        first, last, layout, neighbors, shape
    )
    real = hessians.dtype
    packed = np.empty(rows_most * first_most, real)
    scaled = np.empty(max(rows_most * first_most, atom_rows * width_most), real)
    matrix = np.empty(atom_rows * atom_rows, real)
    across = np.empty(atom_rows, real)
    side = np.empty((3, 3 * molecule_most), real)
    s, d, w, blocks = np.zeros(6), np.zeros(9), np.zeros((2, 3)), np.zeros((3, 3, 3))
    for k in range(first, last):
        for e in range(elements):
            begin, end = layout.chunk_slots[k, e, 0], layout.chunk_slots[k, e, 1]
            for slot in range(begin, end):
                if begin == slot:
                    _layers(
                        k, e, keep, layout, functions, neighbors, jacobian, shape, first_start, state_start,
                        tangent_start, slopes, weights, gathered, packed, scaled, tangents,
                    )  # fmt: skip
                rows = neighbors.row_start[slot + 1] - neighbors.row_start[slot]
                if rows == 0:
                    continue
                total = shape.total[e]
                at = (neighbors.row_start[slot] - neighbors.row_start[begin]) * total
                if keep:
                    at += tangent_start[k, e]
                state = state_start[e] + (slot - layout.chunk_slots[0, e, 0]) * total
                factor = curvatures[state : state + total]
                for row in range(rows):
                    source = tangents[at + row * total : at + (row + 1) * total]
                    target = scaled[row * total : (row + 1) * total]
                    for n in range(total):
                        target[n] = source[n] * factor[n]
                gemm(0, 1, rows, rows, total, scaled, 0, total, tangents, at, total, 0.0, matrix, 0, rows)
                add_curvature(
                    slot, functions, neighbors, tables, gradient[slot], matrix, across, s, d, w, blocks
                )
                molecule = layout.molecule[layout.order[slot]]
                size = 3 * (layout.start[molecule + 1] - layout.start[molecule])
                start = layout.hessian_start[molecule]
                hessian = hessians[start : start + size * size].reshape(size, size)
                expand(slot, layout, neighbors, tables, matrix, across, hessian, side)


@kernel
def _layers(
    k, e, keep, layout, functions, neighbors, jacobian, shape, first_start, state_start,
    tangent_start, slopes, weights, gathered, packed, scaled, tangents,
):  # fmt: skip
    """Tangents of all hidden layers for one chunk and element."""
    begin, end = layout.chunk_slots[k, e, 0], layout.chunk_slots[k, e, 1]
    rows = neighbors.row_start[end] - neighbors.row_start[begin]
    base = tangent_start[k, e] if keep else 0
    total, width = shape.total[e], shape.width[e, 0]
    _first_layer(k, e, layout, functions, neighbors, jacobian, shape, first_start, gathered, packed, False)
    for slot in range(begin, end):
        state = state_start[e] + (slot - layout.chunk_slots[0, e, 0]) * total
        factor = slopes[state : state + width]
        row = neighbors.row_start[slot] - neighbors.row_start[begin]
        near = neighbors.near[slot]
        for p in range(neighbors.pair_start[slot], neighbors.pair_start[slot + 1]):
            lines = 3 if p - neighbors.pair_start[slot] < near else 1
            for line in range(lines):
                source = packed[(neighbors.pair_block[p] + line) * width : (neighbors.pair_block[p] + line + 1) * width]
                target = tangents[base + row * total : base + row * total + width]
                product = scaled[row * width : (row + 1) * width]
                for n in range(width):
                    value = source[n]
                    target[n] = value
                    product[n] = value * factor[n]
                row += 1
    place = 0
    for layer in range(1, shape.depth[e]):
        inputs, place = width, place + width
        width = shape.width[e, layer]
        gemm(
            0, 1, rows, width, inputs, scaled, 0, inputs, weights, shape.weight[e, layer], inputs,
            0.0, tangents, base + place, total,
        )  # fmt: skip
        if layer + 1 < shape.depth[e]:
            _scale(begin, end, e, layout, neighbors, shape, state_start, slopes, tangents, base, place, width, scaled)


@kernel
def _scale(begin, end, e, layout, neighbors, shape, state_start, slopes, tangents, base, place, width, scaled):
    """One layer's tangents times its slopes, contiguous in `scaled`."""
    total = shape.total[e]
    for slot in range(begin, end):
        state = state_start[e] + (slot - layout.chunk_slots[0, e, 0]) * total + place
        factor = slopes[state : state + width]
        row = neighbors.row_start[slot] - neighbors.row_start[begin]
        for line in range(row, neighbors.row_start[slot + 1] - neighbors.row_start[begin]):
            source = tangents[base + line * total + place : base + line * total + place + width]
            target = scaled[line * width : (line + 1) * width]
            for n in range(width):
                target[n] = source[n] * factor[n]


@kernel
def _first_layer(k, e, layout, functions, neighbors, jacobian, shape, first_start, gathered, packed, back):
    """Packed Jacobian times first layer, block by block; with `back` the gradient of the layer instead."""
    elements = layout.chunk_slots.shape[1]
    radial = len(functions.radial_shifts)
    index = layout.chunk_set[k]
    columns = radial + len(functions.angular_shifts) * len(functions.cosines) * layout.set_size[index]
    starts = neighbors.block_start[k, e]
    width = shape.width[e, 0]
    far_start = neighbors.jacobian_start[k, e] + starts[elements] * columns
    for block in range(2 * elements):
        row, rows = starts[block], starts[block + 1] - starts[block]
        if rows == 0:
            continue
        t = block % elements
        weight = first_start[index, e, t]
        if block < elements:
            at, used = neighbors.jacobian_start[k, e] + row * columns, columns
        else:
            at, used = far_start + (row - starts[elements]) * radial, radial
        if back:
            gemm(1, 0, width, used, rows, packed, row * width, width, jacobian, at, used, 1.0, gathered, weight, columns)
        else:
            gemm(0, 1, rows, width, used, jacobian, at, used, gathered, weight, columns, 0.0, packed, row * width, width)


@kernel
def reverse(
    first, last, layout, functions, neighbors, tables, jacobian, shape, first_start, state_start, tangent_start,
    slopes, curvatures, weights, tangents, hessians_adjoint,
    slopes_adjoint, curvatures_adjoint, weights_adjoint, gathered_adjoint, gradient_adjoint,
):  # fmt: skip
    """Adjoint of `forward` for chunks first to last - 1: adds to the adjoints of all its differentiable inputs.

    hessians_adjoint must be symmetric in each molecule.
    """
    elements = layout.chunk_slots.shape[1]
    rows_most, width_most, first_most, atom_rows, molecule_most = _sizes(
        first, last, layout, neighbors, shape
    )
    real = hessians_adjoint.dtype
    adjoint = np.empty(rows_most * width_most, real)
    scaled = np.empty(rows_most * first_most, real)
    inner = np.empty(rows_most * first_most, real)
    matrix = np.empty(atom_rows * atom_rows, real)
    across = np.empty(atom_rows, real)
    side = np.empty((3, 3 * molecule_most), real)
    s, d, w, blocks = np.zeros(6), np.zeros(9), np.zeros((2, 3)), np.zeros((3, 3, 3))
    for k in range(first, last):
        for e in range(elements):
            begin, end = layout.chunk_slots[k, e, 0], layout.chunk_slots[k, e, 1]
            rows = neighbors.row_start[end] - neighbors.row_start[begin]
            if rows == 0:
                continue
            total, base = shape.total[e], tangent_start[k, e]
            for slot in range(begin, end):
                own = neighbors.row_start[slot + 1] - neighbors.row_start[slot]
                if own == 0:
                    continue
                molecule = layout.molecule[layout.order[slot]]
                size = 3 * (layout.start[molecule + 1] - layout.start[molecule])
                start = layout.hessian_start[molecule]
                hessian = hessians_adjoint[start : start + size * size].reshape(size, size)
                project(slot, layout, neighbors, tables, hessian, matrix, across, side)
                curvature_adjoint(
                    slot, functions, neighbors, tables, matrix, across, gradient_adjoint[slot], s, d, w, blocks
                )
                at = (neighbors.row_start[slot] - neighbors.row_start[begin]) * total
                gemm(0, 0, own, total, own, matrix, 0, own, tangents, base + at, total, 0.0, adjoint, at, total)
            depth = shape.depth[e]
            place = total
            for layer in range(depth - 1, -1, -1):
                width = shape.width[e, layer]
                place -= width
                _reverse_layer(
                    begin, end, e, layer, place, layout, neighbors, shape, state_start, base, slopes, curvatures,
                    tangents, inner, slopes_adjoint, curvatures_adjoint, adjoint, scaled,
                )  # fmt: skip
                if layer == 0:
                    break
                inputs = shape.width[e, layer - 1]
                weight = shape.weight[e, layer]
                gemm(
                    1, 0, width, inputs, rows, adjoint, place, total, scaled, 0, inputs,
                    1.0, weights_adjoint, weight, inputs,
                )  # fmt: skip
                gemm(0, 0, rows, inputs, width, adjoint, place, total, weights, weight, inputs, 0.0, inner, 0, inputs)
            _first_layer(
                k, e, layout, functions, neighbors, jacobian, shape, first_start, gathered_adjoint, scaled, True
            )


@kernel
def _reverse_layer(
    begin, end, e, layer, place, layout, neighbors, shape, state_start, base, slopes, curvatures,
    tangents, inner, slopes_adjoint, curvatures_adjoint, adjoint, scaled,
):  # fmt: skip
    """Turn V = M T of one layer, in `adjoint`, into the adjoint of T; add the adjoints of slope and curvature.

    Into `scaled` goes the input of the layer, slopes times tangents of the layer below, or for the first
    layer the adjoint itself in the order of the blocks.
    """
    total, width = shape.total[e], shape.width[e, layer]
    last = layer + 1 == shape.depth[e]
    two = adjoint.dtype.type(2)
    below = shape.width[e, layer - 1] if layer > 0 else 0
    for slot in range(begin, end):
        state = state_start[e] + (slot - layout.chunk_slots[0, e, 0]) * total + place
        slope, curvature = slopes[state : state + width], curvatures[state : state + width]
        slope_adjoint = slopes_adjoint[state : state + width]
        curvature_adjoint = curvatures_adjoint[state : state + width]
        row = neighbors.row_start[slot] - neighbors.row_start[begin]
        stop = neighbors.row_start[slot + 1] - neighbors.row_start[begin]
        for line in range(row, stop):
            at = line * total + place
            tangent, value = tangents[base + at : base + at + width], adjoint[at : at + width]
            if last:
                for n in range(width):
                    curvature_adjoint[n] += tangent[n] * value[n]
                    value[n] = two * curvature[n] * value[n]
            else:
                above = inner[line * width : (line + 1) * width]
                for n in range(width):
                    curvature_adjoint[n] += tangent[n] * value[n]
                    slope_adjoint[n] += tangent[n] * above[n]
                    value[n] = two * curvature[n] * value[n] + slope[n] * above[n]
        if layer > 0:
            factor = slopes[state - below : state]
            for line in range(row, stop):
                at = base + line * total + place - below
                source, target = tangents[at : at + below], scaled[line * below : (line + 1) * below]
                for n in range(below):
                    target[n] = source[n] * factor[n]
        else:
            near = neighbors.near[slot]
            for p in range(neighbors.pair_start[slot], neighbors.pair_start[slot + 1]):
                lines = 3 if p - neighbors.pair_start[slot] < near else 1
                for line in range(lines):
                    block = (neighbors.pair_block[p] + line) * width
                    scaled[block : block + width] = adjoint[row * total : row * total + width]
                    row += 1


@kernel
def _sizes(first, last, layout, neighbors, shape):
    """Most rows of a chunk and element, widest network and layer, most rows of an atom, largest molecule."""
    rows = atom_rows = molecule_most = 1
    for k in range(first, last):
        for e in range(layout.chunk_slots.shape[1]):
            begin, end = layout.chunk_slots[k, e, 0], layout.chunk_slots[k, e, 1]
            rows = max(rows, neighbors.row_start[end] - neighbors.row_start[begin])
            for slot in range(begin, end):
                atom_rows = max(atom_rows, neighbors.row_start[slot + 1] - neighbors.row_start[slot])
                molecule = layout.molecule[layout.order[slot]]
                molecule_most = max(molecule_most, layout.start[molecule + 1] - layout.start[molecule])
    return rows, shape.total.max(), shape.width.max(), atom_rows, molecule_most


@kernel
def symmetrize(layout, values):
    """Symmetric part of each molecule's flat matrix."""
    result = np.empty_like(values)
    half = values.dtype.type(0.5)
    for m in range(len(layout.start) - 1):
        size = 3 * (layout.start[m + 1] - layout.start[m])
        start = layout.hessian_start[m]
        source = values[start : start + size * size].reshape(size, size)
        target = result[start : start + size * size].reshape(size, size)
        for x in range(size):
            for y in range(size):
                target[x, y] = half * (source[x, y] + source[y, x])
    return result
