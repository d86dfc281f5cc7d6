"""Hessians from the tangents of the networks, chunk by chunk: sum_l T_l D_l T_l' + g . K, and in reverse.

T_l = dz_l/dx holds one row per kept row of the Jacobian; a chunk's are flat, layer after layer.
"""

from typing import NamedTuple

import numpy as np

from hessbench.potential.ani.native.compiler import inner_kernel, kernel
from hessbench.potential.ani.native.curvature import add_curvature, curvature_adjoint
from hessbench.potential.ani.native.layout import Floats, Ints
from hessbench.potential.ani.native.lines import add, permute, reverse_layer, scale
from hessbench.potential.ani.native.rows import add_centered, fill_displacements, take_centered


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
def forward(first, last, layout, neighbors, tables, own, gradient, tangents, hessians):
    """Add the atoms of one `Element` in chunks first to last - 1 to the flat Hessians.

    gradient is (A, F) by slot; tangents are kept for `reverse`.
    """
    real, widths, places, depth = hessians.dtype, own.widths, own.place, len(own.widths)
    s, d = np.zeros(6), np.zeros(9)
    for k in range(first, last):
        begin, end, slopes, curvatures, starts, order = chunk_of(k, own, layout, neighbors, tables)
        rows, base = starts[-1], own.tangent_start[k]
        if rows == 0:
            continue
        packed = np.empty((rows, widths[0]), real)
        for low, high, column, used, start in tables.blocks[own.element, k]:
            if high > low:
                part = matrix_at(tables.jacobian, start, high - low, used)
                np.dot(part, own.first_layers[column : column + used], packed[low:high])
        scaled = packed
        for layer in range(depth):
            tangent = matrix_at(tangents, base + rows * places[layer], rows, widths[layer])
            if layer == 0:
                permute(packed, order, tangent, True)
            else:
                np.dot(scaled, weight_of(own, layer).T, tangent)
            if layer + 1 < depth:
                scaled = scale(starts, tangent, slopes, places[layer])
        for slot in range(begin, end):
            row, count = starts[slot - begin], starts[slot - begin + 1] - starts[slot - begin]
            if count == 0:
                continue
            reduced = np.zeros((count, count), real)
            for layer in range(depth):
                width, place = widths[layer], places[layer]
                tangent = matrix_at(tangents, base + rows * place + row * width, count, width)
                curved = scale(np.array([0, count]), tangent, curvatures[slot - begin :], place)
                add(np.dot(curved, tangent.T), reduced)
            molecule, center, atoms_near, displacements = atom_of(slot, layout, neighbors, tables, real)
            local = np.dot(displacements.T, np.dot(reduced, displacements))
            add_curvature(slot, neighbors, tables, gradient[slot], local, s, d)
            add_centered(center, atoms_near, local, hessian_of(molecule, layout, hessians))


@kernel
def reverse(first, last, layout, neighbors, tables, own, of_gradient, tangents, of_hessians, adjoint):
    """Adjoint of `forward`: add to the gradient's and, in `adjoint`, to those of the `Element`.

    of_hessians must be symmetric in each molecule.
    """
    real, widths, places, depth = of_hessians.dtype, own.widths, own.place, len(own.widths)
    s, d = np.zeros(6), np.zeros(9)
    for k in range(first, last):
        begin, end, slopes, curvatures, starts, order = chunk_of(k, own, layout, neighbors, tables)
        rows, base = starts[-1], own.tangent_start[k]
        if rows == 0:
            continue
        _, _, of_slopes, of_curvatures, _, _ = chunk_of(k, adjoint, layout, neighbors, tables)
        back_flat = np.empty(rows * widths.sum(), real)
        for slot in range(begin, end):
            row, count = starts[slot - begin], starts[slot - begin + 1] - starts[slot - begin]
            if count == 0:
                continue
            molecule, center, atoms_near, displacements = atom_of(slot, layout, neighbors, tables, real)
            local = np.empty((displacements.shape[1], displacements.shape[1]), real)
            take_centered(center, atoms_near, hessian_of(molecule, layout, of_hessians), local)
            curvature_adjoint(slot, neighbors, tables, local, of_gradient[slot], s, d)
            reduced = np.dot(np.dot(displacements, local), displacements.T)
            for layer in range(depth):
                width = widths[layer]
                at = rows * places[layer] + row * width
                tangent = matrix_at(tangents, base + at, count, width)
                np.dot(reduced, tangent, matrix_at(back_flat, at, count, width))
        pulled = np.empty((0, 0), real)
        for layer in range(depth - 1, -1, -1):
            width, place = widths[layer], places[layer]
            back = matrix_at(back_flat, rows * place, rows, width)
            reverse_layer(
                layer + 1 == depth, starts, matrix_at(tangents, base + rows * place, rows, width),
                slopes, curvatures, place, pulled, back, of_slopes, of_curvatures,
            )  # fmt: skip
            if layer > 0:
                inputs, place = widths[layer - 1], places[layer - 1]
                below = matrix_at(tangents, base + rows * place, rows, inputs)
                add(np.dot(back.T, scale(starts, below, slopes, place)), weight_of(adjoint, layer))
                pulled = np.dot(back, weight_of(own, layer))
        packed = np.empty((rows, widths[0]), real)
        permute(matrix_at(back_flat, 0, rows, widths[0]), order, packed, False)
        for low, high, column, used, start in tables.blocks[own.element, k]:
            if high > low:
                part = matrix_at(tables.jacobian, start, high - low, used)
                add(np.dot(part.T, packed[low:high]), adjoint.first_layers[column : column + used])


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
def atom_of(slot, layout, neighbors, tables, real):
    """One atom: its molecule, its index there, its neighbours', its rows' displacements (rows, 3 P)."""
    i, start, stop = layout.order[slot], neighbors.pair_start[slot], neighbors.pair_start[slot + 1]
    molecule = layout.molecule[i]
    first, rows = layout.start[molecule], neighbors.row_start[slot + 1] - neighbors.row_start[slot]
    displacements = np.empty((rows, 3 * (stop - start)), real)
    fill_displacements(slot, neighbors, tables, displacements)
    return molecule, i - first, neighbors.pair_atom[start:stop] - first, displacements


@inner_kernel
def hessian_of(molecule, layout, hessians):
    """Hessian of one molecule, (3 N, 3 N)."""
    size = 3 * (layout.start[molecule + 1] - layout.start[molecule])
    return matrix_at(hessians, layout.hessian_start[molecule], size, size)
