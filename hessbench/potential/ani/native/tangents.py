"""Hessians from the tangents of the networks, chunk by chunk: sum_l T_l D_l T_l' + g . K, and in reverse.

T_l = dz_l/dx holds one row per kept row of the Jacobian. What has several layers is flat, layer after layer.
"""

import numpy as np

from hessbench.potential.ani.native.compiler import inner_kernel, kernel
from hessbench.potential.ani.native.curvature import add_curvature, curvature_adjoint
from hessbench.potential.ani.native.lines import add, permute, reverse_layer, scale
from hessbench.potential.ani.native.rows import add_centered, take_centered


@kernel
def forward(
    first, last, e, layout, functions, neighbors, tables, gradient,
    widths, first_layers, weights, slopes, curvatures, tangent_start, tangents, hessians,
):  # fmt: skip
    """Add the atoms of one element in chunks first to last - 1 to the flat Hessians.

    Parameters
    ----------
    e
        The element.
    gradient
        (A, F) by slot.
    widths, first_layers, weights
        Hidden widths, the first layer's columns (`layout.columns`, width), the other layers.
    slopes, curvatures
        Of all atoms of the element.
    tangent_start, tangents
        Where each chunk's tangents are kept.
    """
    lines, atom_rows, pairs = sizes(first, last, e, layout, neighbors)
    real, widest, depth = hessians.dtype, widths.max(), len(widths)
    scratch, half_flat = np.empty(lines * widest, real), np.empty(atom_rows * 3 * pairs, real)
    reduced_flat, part_flat = np.empty(atom_rows * atom_rows, real), np.empty(atom_rows * atom_rows, real)
    local_flat = np.empty(9 * pairs * pairs, real)
    s, d, w, blocks = np.zeros(6), np.zeros(9), np.zeros((2, 3)), np.zeros((3, 3, 3))
    offset = layout.chunk_slots[0, e, 0]
    atoms = layout.chunk_slots[-1, e, 1] - offset
    for k in range(first, last):
        begin, end = layout.chunk_slots[k, e, 0], layout.chunk_slots[k, e, 1]
        starts = neighbors.row_start[begin : end + 1] - neighbors.row_start[begin]
        rows = starts[-1]
        if rows == 0:
            continue
        base = tangent_start[k]
        packed = matrix_at(scratch, 0, rows, widths[0])
        for block in range(2 * functions.pair_of.shape[0]):
            low, high, column, used, start = first_block(k, e, block, layout, functions, neighbors)
            if high > low:
                part = matrix_at(tables.jacobian, start, high - low, used)
                np.dot(part, first_layers[column : column + used], packed[low:high])
        for layer in range(depth):
            width, place = widths[layer], widths[:layer].sum()
            own = matrix_at(tangents, base + rows * place, rows, width)
            if layer == 0:
                permute(packed, neighbors.row_block[neighbors.row_start[begin] :][:rows], own, True)
            else:
                inputs = widths[layer - 1]
                weight = matrix_at(weights, weight_start(widths, layer), width, inputs)
                np.dot(matrix_at(scratch, 0, rows, inputs), weight.T, own)
            if layer + 1 < depth:
                factors = matrix_at(slopes, atoms * place, atoms, width)[begin - offset : end - offset]
                scale(starts, own, factors, matrix_at(scratch, 0, rows, width))
        for slot in range(begin, end):
            row, count = starts[slot - begin], starts[slot - begin + 1] - starts[slot - begin]
            if count == 0:
                continue
            reduced, part = matrix_at(reduced_flat, 0, count, count), matrix_at(part_flat, 0, count, count)
            reduced[:] = 0
            for layer in range(depth):
                width, place = widths[layer], widths[:layer].sum()
                own = matrix_at(tangents, base + rows * place + row * width, count, width)
                scaled = matrix_at(scratch, 0, count, width)
                curvature = matrix_at(curvatures, atoms * place, atoms, width)[slot - offset]
                for line in range(count):
                    a, b = own[line], scaled[line]
                    for n in range(width):
                        b[n] = a[n] * curvature[n]
                np.dot(scaled, own.T, part)
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
    first, last, e, layout, functions, neighbors, tables, gradient_adjoint,
    widths, first_adjoint, weights, slopes, curvatures, tangent_start, tangents, hessians_adjoint,
    weights_adjoint, slopes_adjoint, curvatures_adjoint,
):  # fmt: skip
    """Adjoint of `forward`: adds to the adjoints of what it depends on.

    hessians_adjoint must be symmetric in each molecule.
    """
    lines, atom_rows, pairs = sizes(first, last, e, layout, neighbors)
    real, widest, depth = hessians_adjoint.dtype, widths.max(), len(widths)
    adjoint = np.empty(lines * widths.sum(), real)
    scaled_flat, pulled_flat = np.empty(lines * widest, real), np.empty(lines * widest, real)
    product = np.empty(max(widest, first_adjoint.shape[0]) * widest, real)
    reduced_flat, half_flat = np.empty(atom_rows * atom_rows, real), np.empty(atom_rows * 3 * pairs, real)
    local_flat = np.empty(9 * pairs * pairs, real)
    s, d, w, blocks = np.zeros(6), np.zeros(9), np.zeros((2, 3)), np.zeros((3, 3, 3))
    offset = layout.chunk_slots[0, e, 0]
    atoms = layout.chunk_slots[-1, e, 1] - offset
    for k in range(first, last):
        begin, end = layout.chunk_slots[k, e, 0], layout.chunk_slots[k, e, 1]
        starts = neighbors.row_start[begin : end + 1] - neighbors.row_start[begin]
        rows = starts[-1]
        if rows == 0:
            continue
        base = tangent_start[k]
        for slot in range(begin, end):
            row, count = starts[slot - begin], starts[slot - begin + 1] - starts[slot - begin]
            if count == 0:
                continue
            molecule, center, atoms_near, displacements = atom_of(slot, layout, neighbors, tables)
            size = displacements.shape[1]
            half, local = matrix_at(half_flat, 0, count, size), matrix_at(local_flat, 0, size, size)
            reduced = matrix_at(reduced_flat, 0, count, count)
            take_centered(center, atoms_near, hessian_of(molecule, layout, hessians_adjoint), local)
            curvature_adjoint(
                slot, functions, neighbors, tables, local, gradient_adjoint[slot], s, d, w, blocks
            )
            np.dot(displacements, local, half)
            np.dot(half, displacements.T, reduced)
            for layer in range(depth):
                width = widths[layer]
                place = rows * widths[:layer].sum() + row * width
                own = matrix_at(tangents, base + place, count, width)
                np.dot(reduced, own, matrix_at(adjoint, place, count, width))
        for layer in range(depth - 1, -1, -1):
            width, place = widths[layer], widths[:layer].sum()
            own = matrix_at(adjoint, rows * place, rows, width)
            reverse_layer(
                layer + 1 == depth, starts, matrix_at(tangents, base + rows * place, rows, width),
                matrix_at(slopes, atoms * place, atoms, width)[begin - offset : end - offset],
                matrix_at(curvatures, atoms * place, atoms, width)[begin - offset : end - offset],
                matrix_at(pulled_flat, 0, rows, width), own,
                matrix_at(slopes_adjoint, atoms * place, atoms, width)[begin - offset : end - offset],
                matrix_at(curvatures_adjoint, atoms * place, atoms, width)[begin - offset : end - offset],
            )  # fmt: skip
            if layer > 0:
                inputs = widths[layer - 1]
                below = matrix_at(tangents, base + rows * (place - inputs), rows, inputs)
                factors = matrix_at(slopes, atoms * (place - inputs), atoms, inputs)[
                    begin - offset : end - offset
                ]
                scaled = matrix_at(scaled_flat, 0, rows, inputs)
                scale(starts, below, factors, scaled)
                at = weight_start(widths, layer)
                of_weight = matrix_at(product, 0, width, inputs)
                np.dot(own.T, scaled, of_weight)
                add(of_weight, matrix_at(weights_adjoint, at, width, inputs))
                weight = matrix_at(weights, at, width, inputs)
                np.dot(own, weight, matrix_at(pulled_flat, 0, rows, inputs))
        width = widths[0]
        packed = matrix_at(scaled_flat, 0, rows, width)
        own = matrix_at(adjoint, 0, rows, width)
        permute(own, neighbors.row_block[neighbors.row_start[begin] :][:rows], packed, False)
        for block in range(2 * functions.pair_of.shape[0]):
            low, high, column, used, start = first_block(k, e, block, layout, functions, neighbors)
            if high > low:
                of_first = matrix_at(product, 0, used, width)
                np.dot(matrix_at(tables.jacobian, start, high - low, used).T, packed[low:high], of_first)
                add(of_first, first_adjoint[column : column + used])


@inner_kernel
def matrix_at(values, start, rows, columns):
    """View a part of a flat array as a matrix."""
    return values[start : start + rows * columns].reshape(rows, columns)


@inner_kernel
def weight_start(widths, layer):
    """Place of a layer's weight; the first layer is kept elsewhere."""
    return (widths[: layer - 1] * widths[1:layer]).sum()


@inner_kernel
def first_block(k, e, block, layout, functions, neighbors):
    """Rows of a block of the packed Jacobian, their columns among `layout.columns`, their place in memory."""
    elements = functions.pair_of.shape[0]
    radial = functions.radial
    angular = functions.angular
    columns = radial + angular * layout.set_size[layout.chunk_set[k]]
    starts = neighbors.block_start[k, e]
    low, high = starts[block], starts[block + 1]
    column = layout.column_start[layout.chunk_set[k], block % elements]
    start = neighbors.jacobian_start[k, e]
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
def sizes(first, last, e, layout, neighbors):
    """Most rows of a chunk, most rows and most neighbours of an atom."""
    lines = atom_rows = pairs = 1
    for k in range(first, last):
        begin, end = layout.chunk_slots[k, e, 0], layout.chunk_slots[k, e, 1]
        lines = max(lines, neighbors.row_start[end] - neighbors.row_start[begin])
        for slot in range(begin, end):
            atom_rows = max(atom_rows, neighbors.row_start[slot + 1] - neighbors.row_start[slot])
            pairs = max(pairs, neighbors.pair_start[slot + 1] - neighbors.pair_start[slot])
    return lines, atom_rows, pairs
