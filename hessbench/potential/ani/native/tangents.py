"""Hessians from the tangents of the networks, chunk by chunk: sum_l T_l D_l T_l' + g . K, and in reverse.

T_l = dz_l/dx holds one row per kept row of the Jacobian; a chunk's are flat, layer after layer.
"""

from typing import NamedTuple

import numpy as np

from hessbench.potential.ani.native.compiler import inner_kernel, kernel
from hessbench.potential.ani.native.curvature import add_curvature, curvature_adjoint
from hessbench.potential.ani.native.layout import Floats, Ints
from hessbench.potential.ani.native.lines import add, permute, reverse_layer, scale
from hessbench.potential.ani.native.rows import add_centered, take_centered


class Element(NamedTuple):
    """Networks of one element and their states, hidden layers alone; or the adjoints of both."""

    element: int
    widths: Ints  # (L,)
    place: Ints  # (L,) first column of each layer among all of them
    weight_start: Ints  # (L,) place of each weight but the first in `weights`
    first_layers: Floats  # the first weight's columns (`layout.columns`, width)
    weights: Floats  # the others, flat
    slopes: Floats  # (atoms, all widths)
    curvatures: Floats  # (atoms, all widths)
    tangent_start: Ints  # (C,) where each chunk's tangents are kept


@kernel
def forward(first, last, layout, functions, neighbors, tables, own, gradient, tangents, hessians):
    """Add the atoms of one `Element` in chunks first to last - 1 to the flat Hessians.

    gradient is (A, F) by slot; tangents are kept for `reverse`.
    """
    real, widths, places, depth = hessians.dtype, own.widths, own.place, len(own.widths)
    lines, square, other_square, half_flat, local_flat = room(first, last, own, layout, neighbors, real)
    scratch = np.empty(lines * widths.max(), real)
    s, d, w, blocks = np.zeros(6), np.zeros(9), np.zeros((2, 3)), np.zeros((3, 3, 3))
    for k in range(first, last):
        begin, end, slopes, curvatures, starts, order = chunk_of(k, own, layout, neighbors, tables)
        rows, base = starts[-1], own.tangent_start[k]
        if rows == 0:
            continue
        packed = matrix_at(scratch, 0, rows, widths[0])
        for block in range(2 * functions.pair_of.shape[0]):
            low, high, column, used, start = first_block(k, own.element, block, layout, functions, tables)
            if high > low:
                part = matrix_at(tables.jacobian, start, high - low, used)
                np.dot(part, own.first_layers[column : column + used], packed[low:high])
        for layer in range(depth):
            width, place = widths[layer], places[layer]
            tangent = matrix_at(tangents, base + rows * place, rows, width)
            if layer == 0:
                permute(packed, order, tangent, True)
            else:
                below = matrix_at(scratch, 0, rows, widths[layer - 1])
                np.dot(below, weight_of(own, layer).T, tangent)
            if layer + 1 < depth:
                scale(starts, tangent, slopes, place, matrix_at(scratch, 0, rows, width))
        for slot in range(begin, end):
            row, count = starts[slot - begin], starts[slot - begin + 1] - starts[slot - begin]
            if count == 0:
                continue
            reduced, part = matrix_at(square, 0, count, count), matrix_at(other_square, 0, count, count)
            reduced[:] = 0
            for layer in range(depth):
                width, place = widths[layer], places[layer]
                tangent = matrix_at(tangents, base + rows * place + row * width, count, width)
                scaled = matrix_at(scratch, 0, count, width)
                curvature = curvatures[slot - begin][place : place + width]
                for line in range(count):
                    a, b = tangent[line], scaled[line]
                    for n in range(width):
                        b[n] = a[n] * curvature[n]
                np.dot(scaled, tangent.T, part)
                add(part, reduced)
            molecule, center, atoms_near, displacements = atom_of(slot, layout, neighbors, tables)
            size = displacements.shape[1]
            half, local = matrix_at(half_flat, 0, count, size), matrix_at(local_flat, 0, size, size)
            np.dot(reduced, displacements, half)
            np.dot(displacements.T, half, local)
            add_curvature(slot, functions, neighbors, tables, gradient[slot], local, s, d, w, blocks)
            add_centered(center, atoms_near, local, hessian_of(molecule, layout, hessians))


@kernel
def reverse(
    first, last, layout, functions, neighbors, tables, own, of_gradient, tangents, of_hessians, adjoint
):
    """Adjoint of `forward`: add to the gradient's and, in `adjoint`, to those of the `Element`.

    of_hessians must be symmetric in each molecule.
    """
    real, widths, places, depth = of_hessians.dtype, own.widths, own.place, len(own.widths)
    widest = widths.max()
    lines, square, _, half_flat, local_flat = room(first, last, own, layout, neighbors, real)
    back_flat, scaled_flat = np.empty(lines * widths.sum(), real), np.empty(lines * widest, real)
    pulled_flat = np.empty(lines * widest, real)
    product = np.empty(max(widest, own.first_layers.shape[0]) * widest, real)
    s, d, w, blocks = np.zeros(6), np.zeros(9), np.zeros((2, 3)), np.zeros((3, 3, 3))
    for k in range(first, last):
        begin, end, slopes, curvatures, starts, order = chunk_of(k, own, layout, neighbors, tables)
        rows, base = starts[-1], own.tangent_start[k]
        if rows == 0:
            continue
        _, _, of_slopes, of_curvatures, _, _ = chunk_of(k, adjoint, layout, neighbors, tables)
        for slot in range(begin, end):
            row, count = starts[slot - begin], starts[slot - begin + 1] - starts[slot - begin]
            if count == 0:
                continue
            molecule, center, atoms_near, displacements = atom_of(slot, layout, neighbors, tables)
            size = displacements.shape[1]
            half, local = matrix_at(half_flat, 0, count, size), matrix_at(local_flat, 0, size, size)
            reduced = matrix_at(square, 0, count, count)
            take_centered(center, atoms_near, hessian_of(molecule, layout, of_hessians), local)
            curvature_adjoint(slot, functions, neighbors, tables, local, of_gradient[slot], s, d, w, blocks)
            np.dot(displacements, local, half)
            np.dot(half, displacements.T, reduced)
            for layer in range(depth):
                width = widths[layer]
                at = rows * places[layer] + row * width
                tangent = matrix_at(tangents, base + at, count, width)
                np.dot(reduced, tangent, matrix_at(back_flat, at, count, width))
        for layer in range(depth - 1, -1, -1):
            width, place = widths[layer], places[layer]
            back = matrix_at(back_flat, rows * place, rows, width)
            reverse_layer(
                layer + 1 == depth, starts, matrix_at(tangents, base + rows * place, rows, width),
                slopes, curvatures, place, matrix_at(pulled_flat, 0, rows, width), back,
                of_slopes, of_curvatures,
            )  # fmt: skip
            if layer > 0:
                inputs, place = widths[layer - 1], places[layer - 1]
                below = matrix_at(tangents, base + rows * place, rows, inputs)
                scaled = matrix_at(scaled_flat, 0, rows, inputs)
                scale(starts, below, slopes, place, scaled)
                of_weight, total = matrix_at(product, 0, width, inputs), weight_of(adjoint, layer)
                np.dot(back.T, scaled, of_weight)
                add(of_weight, total)
                np.dot(back, weight_of(own, layer), matrix_at(pulled_flat, 0, rows, inputs))
        width = widths[0]
        packed, back = matrix_at(scaled_flat, 0, rows, width), matrix_at(back_flat, 0, rows, width)
        permute(back, order, packed, False)
        for block in range(2 * functions.pair_of.shape[0]):
            low, high, column, used, start = first_block(k, own.element, block, layout, functions, tables)
            if high > low:
                of_first, total = matrix_at(product, 0, used, width), adjoint.first_layers[column:][:used]
                np.dot(matrix_at(tables.jacobian, start, high - low, used).T, packed[low:high], of_first)
                add(of_first, total)


@inner_kernel
def matrix_at(values, start, rows, columns):
    """View a part of a flat array as a matrix."""
    return values[start : start + rows * columns].reshape(rows, columns)


@inner_kernel
def weight_of(own, layer):
    """Weight of a hidden layer but the first."""
    return matrix_at(own.weights, own.weight_start[layer], own.widths[layer], own.widths[layer - 1])


@inner_kernel
def chunk_of(k, own, layout, neighbors, tables):
    """One chunk: its slots, their slopes and curvatures, their first rows, the rows' places in the blocks."""
    begin, end = layout.chunk_slots[k, own.element, 0], layout.chunk_slots[k, own.element, 1]
    first, last = neighbors.row_start[begin], neighbors.row_start[end]
    offset = layout.chunk_slots[0, own.element, 0]
    atoms = slice(begin - offset, end - offset)
    starts = neighbors.row_start[begin : end + 1] - first
    return begin, end, own.slopes[atoms], own.curvatures[atoms], starts, tables.row_block[first:last]


@inner_kernel
def first_block(k, e, block, layout, functions, tables):
    """Rows of a block of the packed Jacobian, their columns among `layout.columns`, their place in memory."""
    elements = functions.pair_of.shape[0]
    radial = functions.radial
    angular = functions.angular
    columns = radial + angular * layout.set_size[layout.chunk_set[k]]
    starts = tables.block_start[e, k]
    low, high = starts[block], starts[block + 1]
    column = layout.column_start[layout.chunk_set[k], block % elements]
    start = tables.jacobian_start[e, k]
    if block < elements:
        return low, high, column, columns, start + low * columns
    far = starts[elements]
    return low, high, column, radial, start + far * columns + (low - far) * radial


@inner_kernel
def atom_of(slot, layout, neighbors, tables):
    """One atom: its molecule, its index there, its neighbours', its rows' displacements (rows, 3 P)."""
    i, start, stop = layout.order[slot], neighbors.pair_start[slot], neighbors.pair_start[slot + 1]
    molecule = layout.molecule[i]
    first, rows = layout.start[molecule], neighbors.row_start[slot + 1] - neighbors.row_start[slot]
    displacements = matrix_at(
        tables.displacements, neighbors.displacement_start[slot], rows, 3 * (stop - start)
    )
    return molecule, i - first, neighbors.pair_atom[start:stop] - first, displacements


@inner_kernel
def hessian_of(molecule, layout, hessians):
    """Hessian of one molecule, (3 N, 3 N)."""
    size = 3 * (layout.start[molecule + 1] - layout.start[molecule])
    return matrix_at(hessians, layout.hessian_start[molecule], size, size)


@inner_kernel
def room(first, last, own, layout, neighbors, real):
    """Most rows of a chunk; scratch for an atom's (rows, rows), twice, (rows, 3 P) and (3 P, 3 P)."""
    lines = rows = pairs = 1
    for k in range(first, last):
        begin, end = layout.chunk_slots[k, own.element, 0], layout.chunk_slots[k, own.element, 1]
        lines = max(lines, neighbors.row_start[end] - neighbors.row_start[begin])
        for slot in range(begin, end):
            rows = max(rows, neighbors.row_start[slot + 1] - neighbors.row_start[slot])
            pairs = max(pairs, neighbors.pair_start[slot + 1] - neighbors.pair_start[slot])
    square, other = np.empty(rows * rows, real), np.empty(rows * rows, real)
    return lines, square, other, np.empty(rows * 3 * pairs, real), np.empty(9 * pairs * pairs, real)
