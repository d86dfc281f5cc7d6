"""Who is near whom, and which rows the packed Jacobian needs.

A near neighbour (within the angular cutoff) has three rows, one a Cartesian direction, a far one a single row
along u. Turning an atom's surroundings as a whole changes none of its features: sum over neighbours of
v x t = 0 for the rows t. So up to three rows of each atom are combinations of the others; they are left out
of the Jacobian and of all products with it, and put back where rows become Hessians.
"""

from typing import NamedTuple

import numpy as np

from hessbench.potential.ani.native.compiler import inner_kernel, kernel
from hessbench.potential.ani.native.layout import Floats, Ints, Layout

SMALLEST_PIVOT = 0.3
"""Angstrom; a row is left out only if it follows from the others without blowing up their rounding errors."""


class Neighbors(NamedTuple):
    """Pairs by slot of the central atom, near ones first, by element of the neighbour."""

    pair_start: Ints  # (A + 1,)
    near: Ints  # (A,) near neighbours of each slot
    pair_atom: Ints  # (P,)
    pair_element: Ints  # (P,)
    vectors: Floats  # (P, 3) from the central atom to the other; float64
    triple_start: Ints  # (A + 1,)
    row_start: Ints  # (A + 1,) rows of each slot that are kept
    row_full: Ints  # (rows,) index of each row among all rows of its atom, 3 a near pair and 1 a far one
    lost: Ints  # (A, 3) rows left out, -1 for none
    combination: Floats  # (3 rows,) each atom's (3, rows): lost rows in terms of those kept; float64
    kept: Ints  # (P, 3) whether the Jacobian has a row, Cartesian if near, the first one along u if far


Packing = tuple[Ints, Ints, Ints, int]
NOT_PACKED: Packing = np.zeros(0, np.int64), np.zeros((0, 3), np.int64), np.zeros((0, 0, 0, 5), np.int64), 0
"""What `pack` gives where no Jacobian is wanted."""


def pack(layout: Layout, neighbors: Neighbors) -> Packing:
    """Give every kept row its place in the packed Jacobian: what `Tables` have of it, and its length.

    Its order: element, chunk, then blocks of rows that touch the same features, near ones by the neighbour's
    element, then far ones.
    """
    elements, chunks = len(layout.pair_of), len(layout.chunk_set)
    cells = layout.chunk_slots[:, :, 1] - layout.chunk_slots[:, :, 0]  # (C, E)
    cell_of_slot = np.repeat(np.arange(elements * chunks), cells.T.ravel())
    pair, direction = np.nonzero(neighbors.kept)
    slot = np.repeat(np.arange(len(neighbors.near)), np.diff(neighbors.pair_start))[pair]
    far = pair - neighbors.pair_start[slot] >= neighbors.near[slot]
    block = cell_of_slot[slot] * 2 * elements + neighbors.pair_element[pair] + elements * far
    shape = (elements, chunks, 2 * elements)
    rows = np.bincount(block, minlength=2 * elements * cells.size).reshape(shape)
    used = np.empty(shape, np.int64)
    used[:, :, :elements] = (layout.radial + layout.angular * layout.set_size[layout.chunk_set])[:, None]
    used[:, :, elements:] = layout.radial
    lengths, last = rows * used, rows.cumsum(2)
    place = (np.cumsum(lengths) - lengths.ravel()).reshape(shape)
    columns = np.broadcast_to(np.tile(layout.column_start[layout.chunk_set], 2), shape)
    order = np.argsort(block, kind="stable")
    in_block = np.empty_like(block)
    in_block[order] = np.arange(len(block)) - np.repeat(np.cumsum(rows) - rows.ravel(), rows.ravel())
    address = np.full(neighbors.kept.shape, -1)
    address[pair, direction] = place.ravel()[block] + in_block * used.ravel()[block]
    blocks = np.stack([last - rows, last, columns, used, place], 3)
    return (last - rows).ravel()[block] + in_block, address, blocks, int(lengths.sum())


@kernel
def find_neighbors(layout, coordinates, choose_rows):
    """Return the arrays of `Neighbors`; those of rows are empty unless `choose_rows`."""
    atoms = len(layout.order)
    pair_start, triple_start = np.zeros(atoms + 1, np.int64), np.zeros(atoms + 1, np.int64)
    row_start, near = np.zeros(atoms + 1, np.int64), np.zeros(atoms, np.int64)
    counts = layout.start[1:] - layout.start[:-1]
    most = (counts * (counts - 1)).sum()
    pair_atom, pair_element = np.empty(most, np.int64), np.empty(most, np.int64)
    vectors = np.empty((most + 1, 3))  # one more, for a candidate that is too far
    rows = most if choose_rows else 0
    kept, lost = np.ones((rows, 3), np.int64), np.full((atoms, 3), -1)
    row_full, combination = np.empty(3 * rows, np.int64), np.zeros(9 * rows)
    pairs, limits = 0, (-1.0, layout.angular_cutoff, layout.radial_cutoff)
    for slot in range(atoms):
        i = layout.order[slot]
        first, last = layout.start[layout.molecule[i]], layout.start[layout.molecule[i] + 1]
        begin = pairs
        for far in range(2):
            pairs = _find(
                i, first, last, layout.element, coordinates, layout.pair_of.shape[0],
                limits[far], limits[far + 1], pair_atom, pair_element, vectors, pairs,
            )  # fmt: skip
            if far == 0:
                near[slot] = pairs - begin
        count, own = near[slot], slice(begin, pairs)
        pair_start[slot + 1] = pairs
        triple_start[slot + 1] = triple_start[slot] + count * (count - 1) // 2
        if choose_rows:
            row_start[slot + 1] = _keep_rows(
                vectors[own], count, kept[own], lost[slot], row_full, combination, row_start[slot]
            )
    return (
        pair_start, near, pair_atom[:pairs], pair_element[:pairs], vectors[:pairs], triple_start, row_start,
        row_full, lost, combination, kept[:pairs],
    )  # fmt: skip


@inner_kernel
def _find(i, first, last, element, coordinates, elements, low, high, pair_atom, pair_element, vectors, pairs):
    """Append the neighbours of atom i at distances in (low, high], by element."""
    for e in range(elements):
        for j in range(first, last):
            if element[j] != e or j == i:
                continue
            square = 0.0
            for x in range(3):
                vectors[pairs, x] = np.float64(coordinates[j, x]) - np.float64(coordinates[i, x])
                square += vectors[pairs, x] * vectors[pairs, x]
            r = np.sqrt(square)
            if low < r <= high:
                pair_atom[pairs] = j
                pair_element[pairs] = e
                pairs += 1
    return pairs


@inner_kernel
def _keep_rows(vectors, near, kept, lost, row_full, combination, start):
    """Choose the rows of one atom; returns the end of its rows.

    Gauss-Jordan elimination with complete pivoting of the three conditions sum_j (v_j x t_j) = 0.
    """
    columns = 3 * near
    matrix = np.zeros((3, columns + 1))
    for p in range(near):
        for x in range(3):
            y, z = (x + 1) % 3, (x + 2) % 3
            matrix[x, 3 * p + z] = vectors[p, y]
            matrix[x, 3 * p + y] = -vectors[p, z]
    used = np.zeros(3, np.int64)
    for _ in range(3):
        pivot, row, column = SMALLEST_PIVOT, -1, -1
        for x in range(3):
            for c in range(columns):
                if used[x] == 0 and kept[c // 3, c % 3] == 1 and abs(matrix[x, c]) > pivot:
                    pivot, row, column = abs(matrix[x, c]), x, c
        if row < 0:
            break
        used[row] = 1
        kept[column // 3, column % 3] = 0
        lost[row] = column
        factor = 1.0 / matrix[row, column]
        for c in range(columns):
            matrix[row, c] *= factor
        for x in range(3):
            if x != row:
                factor = matrix[x, column]
                for c in range(columns):
                    matrix[x, c] -= factor * matrix[row, c]
    rows = 0
    for c in range(columns):
        if kept[c // 3, c % 3] == 1:
            row_full[start + rows] = c
            rows += 1
    for p in range(near, len(kept)):
        row_full[start + rows] = columns + p - near
        rows += 1
        kept[p, 1] = kept[p, 2] = 0
    for x in range(3):
        for r in range(rows):
            c = row_full[start + r]
            if used[x] == 1 and c < columns:
                combination[3 * start + x * rows + r] = -matrix[x, c]
    return start + rows
