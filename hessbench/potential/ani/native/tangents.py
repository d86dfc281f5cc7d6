"""Hessians from the tangents of the networks, chunk by chunk: sum_l T_l D_l T_l' + g . K, and in reverse.

T_l = dz_l/dx holds one row per kept row of the Jacobian. What has several layers is flat, layer after layer.
"""

import numpy as np

from hessbench.potential.ani.native.compiler import inner_kernel, kernel
from hessbench.potential.ani.native.curvature import add_curvature, curvature_adjoint
from hessbench.potential.ani.native.lines import add, permute, reverse_layer, scale
from hessbench.potential.ani.native.rows import expand, fold, project, unfold


@kernel
def forward(
    first, last, e, layout, functions, neighbors, tables, jacobian, gradient,
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
    lines, atom_rows, atom_full, molecule_atoms = sizes(first, last, e, layout, neighbors)
    real, widest, depth = hessians.dtype, widths.max(), len(widths)
    scratch, scratch_rows = np.empty(lines * widest, real), np.empty(atom_rows, real)
    reduced_flat, part_flat = np.empty(atom_rows * atom_rows, real), np.empty(atom_rows * atom_rows, real)
    matrix, across = np.empty(atom_full * atom_full, real), np.empty(atom_full, real)
    side = np.empty(9 * molecule_atoms, real)
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
                part = matrix_at(jacobian, start, high - low, used)
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
            i, start, stop, near, size, full, combination = atom_rows_of(slot, layout, neighbors)
            unfold(count, size, full, neighbors.lost[slot], combination, reduced_flat, scratch_rows, matrix)
            add_curvature(
                start, stop, neighbors.triple_start[slot], near, size, neighbors.pair_element,
                functions.pair_of, tables, gradient[slot], matrix, across, s, d, w, blocks,
            )  # fmt: skip
            molecule = layout.molecule[i]
            expand(
                i, neighbors.pair_atom[start:stop], near, tables.u[start:stop], layout.start[molecule],
                size, matrix, across, hessians[layout.hessian_start[molecule] :],
                3 * (layout.start[molecule + 1] - layout.start[molecule]), side,
            )  # fmt: skip


@kernel
def reverse(
    first, last, e, layout, functions, neighbors, tables, jacobian, gradient_adjoint,
    widths, first_adjoint, weights, slopes, curvatures, tangent_start, tangents, hessians_adjoint,
    weights_adjoint, slopes_adjoint, curvatures_adjoint,
):  # fmt: skip
    """Adjoint of `forward`: adds to the adjoints of what it depends on.

    hessians_adjoint must be symmetric in each molecule.
    """
    lines, atom_rows, atom_full, molecule_atoms = sizes(first, last, e, layout, neighbors)
    real, widest, depth = hessians_adjoint.dtype, widths.max(), len(widths)
    adjoint = np.empty(lines * widths.sum(), real)
    scaled_flat, pulled_flat = np.empty(lines * widest, real), np.empty(lines * widest, real)
    product = np.empty(max(widest, first_adjoint.shape[0]) * widest, real)
    reduced, scratch_rows = np.empty(atom_rows * atom_rows, real), np.empty(atom_rows, real)
    matrix, across = np.empty(atom_full * atom_full, real), np.empty(atom_full, real)
    side = np.empty(9 * molecule_atoms, real)
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
            i, start, stop, near, size, full, combination = atom_rows_of(slot, layout, neighbors)
            molecule = layout.molecule[i]
            project(
                i, neighbors.pair_atom[start:stop], near, tables.u[start:stop], layout.start[molecule],
                size, hessians_adjoint[layout.hessian_start[molecule] :],
                3 * (layout.start[molecule + 1] - layout.start[molecule]), side, matrix, across,
            )  # fmt: skip
            curvature_adjoint(
                start, stop, neighbors.triple_start[slot], near, size, neighbors.pair_element,
                functions.pair_of, tables, matrix, across, gradient_adjoint[slot], s, d, w, blocks,
            )  # fmt: skip
            fold(count, size, full, neighbors.lost[slot], combination, matrix, scratch_rows, reduced)
            for layer in range(depth):
                width = widths[layer]
                place = rows * widths[:layer].sum() + row * width
                own = matrix_at(tangents, base + place, count, width)
                np.dot(matrix_at(reduced, 0, count, count), own, matrix_at(adjoint, place, count, width))
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
                np.dot(matrix_at(jacobian, start, high - low, used).T, packed[low:high], of_first)
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
    radial = len(functions.radial_shifts)
    angular = len(functions.angular_shifts) * len(functions.cosines)
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
def atom_rows_of(slot, layout, neighbors):
    """One atom: its index, its pairs, its near neighbours, all its rows, which are kept, and the others'."""
    start, stop, near = neighbors.pair_start[slot], neighbors.pair_start[slot + 1], neighbors.near[slot]
    row, end = neighbors.row_start[slot], neighbors.row_start[slot + 1]
    full, combination = neighbors.row_full[row:end], neighbors.combination[3 * row : 3 * end]
    return layout.order[slot], start, stop, near, 2 * near + stop - start, full, combination


@inner_kernel
def sizes(first, last, e, layout, neighbors):
    """Most rows of a chunk, most kept and most full rows of an atom, most atoms of a molecule."""
    lines = atom_rows = atom_full = molecule = 1
    for k in range(first, last):
        begin, end = layout.chunk_slots[k, e, 0], layout.chunk_slots[k, e, 1]
        lines = max(lines, neighbors.row_start[end] - neighbors.row_start[begin])
        for slot in range(begin, end):
            pairs = neighbors.pair_start[slot + 1] - neighbors.pair_start[slot]
            atom_rows = max(atom_rows, neighbors.row_start[slot + 1] - neighbors.row_start[slot])
            atom_full = max(atom_full, pairs + 2 * neighbors.near[slot])
            own = layout.molecule[layout.order[slot]]
            molecule = max(molecule, layout.start[own + 1] - layout.start[own])
    return lines, atom_rows, atom_full, molecule
