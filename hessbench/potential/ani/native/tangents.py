"""The Hessian part of the atomic networks, chunk by chunk: sum_l T_l D_l T_l' forwards and in reverse.

T_l = dz_l/dx holds one line per kept row of the Jacobian, all hidden layers side by side. Weights and their
gradients are flat, laid out by `Shape`; slopes and curvatures are flat, (atoms, all widths) by element.
"""

import numpy as np

from hessbench.potential.ani.native.activations import multiply
from hessbench.potential.ani.native.blas import Matrix, gemm_nn, gemm_nt, gemm_tn
from hessbench.potential.ani.native.compiler import inner_kernel, kernel
from hessbench.potential.ani.native.curvature import add_curvature, curvature_adjoint
from hessbench.potential.ani.native.lines import (
    first_layer,
    first_layer_adjoint,
    gather_rows,
    reverse_rows,
    scale_rows,
    spread_rows,
)
from hessbench.potential.ani.native.rows import expand, fold, project, unfold


@kernel
def forward(
    first, last, keep, layout, functions, neighbors, tables, jacobian, shape, first_start, state_start,
    tangent_start, slopes, curvatures, weights, gathered, gradient, tangents, hessians,
):  # fmt: skip
    """Hessians of chunks first to last - 1.

    With `keep` the tangents of every chunk have a place of their own, for `reverse`; without, they share one.
    """
    elements = layout.chunk_slots.shape[1]
    radial = len(functions.radial_shifts)
    angular = len(functions.angular_shifts) * len(functions.cosines)
    lines, atom_rows, atom_full, molecule = sizes(first, last, layout, neighbors)
    widest, total_most = shape.width.max(), shape.total.max()
    packed = np.empty(lines * widest, hessians.dtype)
    scaled = np.empty(max(lines * widest, atom_rows * total_most), hessians.dtype)
    reduced = np.empty(atom_rows * atom_rows, hessians.dtype)
    matrix = np.empty(atom_full * atom_full, hessians.dtype)
    across, scratch = np.empty(atom_full, hessians.dtype), np.empty(atom_rows, hessians.dtype)
    side = np.empty(9 * molecule, hessians.dtype)
    s, d, w, blocks = np.zeros(6), np.zeros(9), np.zeros((2, 3)), np.zeros((3, 3, 3))
    for k in range(first, last):
        columns = radial + angular * layout.set_size[layout.chunk_set[k]]
        for e in range(elements):
            begin, end = layout.chunk_slots[k, e, 0], layout.chunk_slots[k, e, 1]
            row_begin, row_end = neighbors.row_start[begin], neighbors.row_start[end]
            if row_begin == row_end:
                continue
            total, depth = shape.total[e], shape.depth[e]
            base = tangent_start[k, e] if keep else 0
            state = state_start[e] + (begin - layout.chunk_slots[0, e, 0]) * total
            starts = neighbors.row_start[begin : end + 1]
            first_layer(
                neighbors.block_start[k, e], neighbors.jacobian_start[k, e], columns, radial,
                shape.width[e, 0], first_start[layout.chunk_set[k], e], jacobian, gathered, packed,
            )  # fmt: skip
            spread_rows(
                starts, neighbors.row_block[row_begin:row_end], shape.width[e, 0], total, packed,
                slopes, state, tangents, base, scaled,
            )  # fmt: skip
            place = 0
            for layer in range(1, depth):
                inputs, width = shape.width[e, layer - 1], shape.width[e, layer]
                place += inputs
                weight = Matrix(weights, shape.weight[e, layer], inputs)
                lines_below, own_lines = Matrix(scaled, 0, inputs), Matrix(tangents, base + place, total)
                gemm_nt(row_end - row_begin, width, inputs, lines_below, weight, 0.0, own_lines)
                if layer + 1 < depth:
                    scale_rows(starts, width, total, tangents, base + place, slopes, state + place, scaled)
            for slot in range(begin, end):
                row = neighbors.row_start[slot]
                rows = neighbors.row_start[slot + 1] - row
                if rows == 0:
                    continue
                at = base + (row - row_begin) * total
                own = state + (slot - begin) * total
                curvature = curvatures[own : own + total]
                for line in range(rows):
                    tangent = tangents[at + line * total : at + (line + 1) * total]
                    multiply(tangent, curvature, scaled[line * total : (line + 1) * total])
                gemm_nt(
                    rows, rows, total, Matrix(scaled, 0, total), Matrix(tangents, at, total),
                    0.0, Matrix(reduced, 0, rows),
                )  # fmt: skip
                start, stop = neighbors.pair_start[slot], neighbors.pair_start[slot + 1]
                near = neighbors.near[slot]
                size = 2 * near + stop - start
                unfold(
                    rows, size, neighbors.row_full[row : row + rows], neighbors.lost[slot],
                    neighbors.combination[3 * row : 3 * (row + rows)], reduced, scratch, matrix,
                )  # fmt: skip
                add_curvature(
                    start, stop, neighbors.triple_start[slot], near, size, neighbors.pair_element,
                    functions.pair_of, tables, gradient[slot], matrix, across, s, d, w, blocks,
                )  # fmt: skip
                i = layout.order[slot]
                molecule = layout.molecule[i]
                expand(
                    i, neighbors.pair_atom[start:stop], near, tables.u[start:stop], layout.start[molecule],
                    size, matrix, across, hessians[layout.hessian_start[molecule] :],
                    3 * (layout.start[molecule + 1] - layout.start[molecule]), side,
                )  # fmt: skip


@kernel
def reverse(
    first, last, layout, functions, neighbors, tables, jacobian, shape, first_start, state_start,
    tangent_start, slopes, curvatures, weights, tangents, hessians_adjoint,
    slopes_adjoint, curvatures_adjoint, weights_adjoint, gathered_adjoint, gradient_adjoint,
):  # fmt: skip
    """Adjoint of `forward` for chunks first to last - 1: adds to the adjoints of what it depends on.

    hessians_adjoint must be symmetric in each molecule.
    """
    elements = layout.chunk_slots.shape[1]
    radial = len(functions.radial_shifts)
    angular = len(functions.angular_shifts) * len(functions.cosines)
    lines, atom_rows, atom_full, molecule = sizes(first, last, layout, neighbors)
    widest, total_most = shape.width.max(), shape.total.max()
    real = hessians_adjoint.dtype
    adjoint, scaled = np.empty(lines * total_most, real), np.empty(lines * widest, real)
    above = np.empty(lines * widest, real)
    reduced, matrix = np.empty(atom_rows * atom_rows, real), np.empty(atom_full * atom_full, real)
    across, scratch = np.empty(atom_full, real), np.empty(atom_rows, real)
    side = np.empty(9 * molecule, real)
    s, d, w, blocks = np.zeros(6), np.zeros(9), np.zeros((2, 3)), np.zeros((3, 3, 3))
    for k in range(first, last):
        columns = radial + angular * layout.set_size[layout.chunk_set[k]]
        for e in range(elements):
            begin, end = layout.chunk_slots[k, e, 0], layout.chunk_slots[k, e, 1]
            row_begin, row_end = neighbors.row_start[begin], neighbors.row_start[end]
            if row_begin == row_end:
                continue
            total, depth, base = shape.total[e], shape.depth[e], tangent_start[k, e]
            state = state_start[e] + (begin - layout.chunk_slots[0, e, 0]) * total
            starts = neighbors.row_start[begin : end + 1]
            for slot in range(begin, end):
                row = neighbors.row_start[slot]
                rows = neighbors.row_start[slot + 1] - row
                if rows == 0:
                    continue
                i = layout.order[slot]
                molecule = layout.molecule[i]
                start, stop = neighbors.pair_start[slot], neighbors.pair_start[slot + 1]
                near = neighbors.near[slot]
                size = 2 * near + stop - start
                project(
                    i, neighbors.pair_atom[start:stop], near, tables.u[start:stop], layout.start[molecule],
                    size, hessians_adjoint[layout.hessian_start[molecule] :],
                    3 * (layout.start[molecule + 1] - layout.start[molecule]), side, matrix, across,
                )  # fmt: skip
                curvature_adjoint(
                    start, stop, neighbors.triple_start[slot], near, size, neighbors.pair_element,
                    functions.pair_of, tables, matrix, across, gradient_adjoint[slot], s, d, w, blocks,
                )  # fmt: skip
                fold(
                    rows, size, neighbors.row_full[row : row + rows], neighbors.lost[slot],
                    neighbors.combination[3 * row : 3 * (row + rows)], matrix, scratch, reduced,
                )  # fmt: skip
                at = (row - row_begin) * total
                gemm_nn(
                    rows, total, rows, Matrix(reduced, 0, rows), Matrix(tangents, base + at, total),
                    0.0, Matrix(adjoint, at, total),
                )  # fmt: skip
            place = total
            for layer in range(depth - 1, -1, -1):
                width = shape.width[e, layer]
                place -= width
                reverse_rows(
                    layer + 1 == depth, starts, width, total, tangents, base + place, slopes, curvatures,
                    state + place, above, adjoint, place, slopes_adjoint, curvatures_adjoint,
                )  # fmt: skip
                if layer == 0:
                    break
                inputs, weight = shape.width[e, layer - 1], shape.weight[e, layer]
                below = place - inputs
                scale_rows(starts, inputs, total, tangents, base + below, slopes, state + below, scaled)
                own_lines = Matrix(adjoint, place, total)
                gemm_tn(
                    width, inputs, row_end - row_begin, own_lines, Matrix(scaled, 0, inputs),
                    1.0, Matrix(weights_adjoint, weight, inputs),
                )  # fmt: skip
                gemm_nn(
                    row_end - row_begin, inputs, width, own_lines, Matrix(weights, weight, inputs),
                    0.0, Matrix(above, 0, inputs),
                )  # fmt: skip
            gather_rows(neighbors.row_block[row_begin:row_end], shape.width[e, 0], total, adjoint, scaled)
            first_layer_adjoint(
                neighbors.block_start[k, e], neighbors.jacobian_start[k, e], columns, radial,
                shape.width[e, 0], first_start[layout.chunk_set[k], e], jacobian, scaled, gathered_adjoint,
            )  # fmt: skip


@inner_kernel
def sizes(first, last, layout, neighbors):
    """Most rows of a chunk and element, most kept and most full rows of an atom, largest molecule."""
    lines = atom_rows = atom_full = molecule = 1
    for k in range(first, last):
        for e in range(layout.chunk_slots.shape[1]):
            begin, end = layout.chunk_slots[k, e, 0], layout.chunk_slots[k, e, 1]
            lines = max(lines, neighbors.row_start[end] - neighbors.row_start[begin])
            for slot in range(begin, end):
                pairs = neighbors.pair_start[slot + 1] - neighbors.pair_start[slot]
                atom_rows = max(atom_rows, neighbors.row_start[slot + 1] - neighbors.row_start[slot])
                atom_full = max(atom_full, pairs + 2 * neighbors.near[slot])
                own = layout.molecule[layout.order[slot]]
                molecule = max(molecule, layout.start[own + 1] - layout.start[own])
    return lines, atom_rows, atom_full, molecule


@kernel
def symmetrize(start, hessian_start, values, result):
    """Symmetric part of each molecule's flat matrix."""
    half = values.dtype.type(0.5)
    for m in range(len(start) - 1):
        width, base = 3 * (start[m + 1] - start[m]), hessian_start[m]
        for x in range(width):
            for y in range(x + 1):
                value = half * (values[base + x * width + y] + values[base + y * width + x])
                result[base + x * width + y] = result[base + y * width + x] = value
