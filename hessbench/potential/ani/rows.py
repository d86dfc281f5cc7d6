"""The sparse Jacobian of the descriptors: packed blocks, rows of an atom, and their way to 3N x 3N.

A near neighbour (within the angular cutoff) owns three rows, one a Cartesian direction; a far one
owns one row along u. The centre's own columns are minus the sum of its neighbours' and never stored.
A row of a neighbour of element t holds only the features that contain t, so rows are packed in blocks
of one central element and one neighbour element.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from hessbench.potential.ani.geometry import Geometry, cosine_gradients, element_pair


@dataclass(frozen=True)
class Block:
    """Rows of J of one pair of elements: `values` (rows, len(columns)) stand in `columns` of the features.

    `key` names the columns: the neighbour's element and, for near ones, the elements present.
    """

    values: Tensor
    columns: Tensor
    key: tuple[int, ...]


@dataclass(frozen=True)
class ElementRows:
    """All rows of the atoms of one element.

    Attributes
    ----------
    atoms
        (n,) indices of the atoms in the batch.
    blocks
        The packed Jacobian.
    position
        (rows,) place of each row of the joined blocks in the padded layout, atom x height + row.
    height
        Rows of the atom that has most.
    expansion
        (n, height, 3 N) from rows to Cartesian coordinates of the atom's molecule, N its padded size.
    """

    atoms: Tensor
    blocks: list[Block]
    position: Tensor
    height: int
    expansion: Tensor


def build_rows(geometry: Geometry, local: Tensor, size: int) -> list[ElementRows | None]:
    """Pack the Jacobian by element; None for an element without atoms or without any neighbour.

    Parameters
    ----------
    geometry
        The batch.
    local
        (A,) index of each atom within its molecule.
    size
        N, atoms of the largest molecule.
    """
    pairs = geometry.pairs
    present = torch.unique(geometry.element)
    near_values = _near_values(geometry, present)
    widths = torch.where(pairs.near, 3, 1)
    before = torch.cumsum(widths, 0) - widths
    first_pair = torch.searchsorted(pairs.center, pairs.center)
    row = before - before[first_pair] if len(before) else before  # first row of each pair in its atom
    near_index = torch.cumsum(pairs.near, 0) - 1
    result: list[ElementRows | None] = [None] * geometry.elements
    for element in present.tolist():
        atoms = (geometry.element == element).nonzero().squeeze(1)
        rank = torch.zeros_like(geometry.element)
        rank[atoms] = torch.arange(len(atoms), device=atoms.device)
        of_element = geometry.element[pairs.center] == element
        if not bool(of_element.any()):
            continue
        height = int((row + widths)[of_element].max())
        place = rank[pairs.center] * height + row
        blocks, positions = [], []
        for other in present.tolist():
            chosen = of_element & (pairs.element == other)
            radial = torch.arange(pairs.radial[1].shape[1], device=atoms.device)
            radial = radial + other * len(radial)
            near = (chosen & pairs.near).nonzero().squeeze(1)
            if len(near):
                columns = torch.cat([radial, _angular_columns(geometry, other, present)])
                key = (other, *present.tolist())
                blocks.append(Block(near_values[near_index[near]].flatten(0, 1), columns, key))
                positions.append((place[near].unsqueeze(1) + torch.arange(3, device=place.device)).flatten())
            far = (chosen & ~pairs.near).nonzero().squeeze(1)
            if len(far):
                blocks.append(Block(pairs.radial[1][far], radial, (other,)))
                positions.append(place[far])
        position = torch.cat(positions)
        chosen = of_element.nonzero().squeeze(1)
        place = place[chosen]
        expansion = _expansion(geometry, local, size, chosen, place, len(atoms) * height)
        result[element] = ElementRows(atoms, blocks, position, height, expansion.unflatten(0, (-1, height)))
    return result


def _near_values(geometry: Geometry, present: Tensor) -> Tensor:
    """Rows of all near pairs, (near pairs, 3, K + present elements x N Z), angles by the third element."""
    pairs, triples = geometry.pairs, geometry.triples
    near_index = torch.cumsum(pairs.near, 0) - 1
    compact = torch.searchsorted(present, pairs.element)
    (f1, g1, _), (f2, g2, _) = triples.cutoffs
    w1, w2 = cosine_gradients(pairs, triples)
    h0, h1, _ = triples.shells
    a0, a1, _ = triples.angles
    f = f1 * f2
    turning = ((h0 * f.unsqueeze(1)).unsqueeze(2) * a1.unsqueeze(1)).flatten(1)
    count = int(pairs.near.sum())
    angular = turning.new_zeros(count * len(present), 3, turning.shape[1])
    for own, other, w, slope in (
        (triples.first, triples.second, w1, g1 * f2),
        (triples.second, triples.first, w2, f1 * g2),
    ):
        stretching = (0.5 * h1 * f.unsqueeze(1) + h0 * slope.unsqueeze(1)).unsqueeze(2) * a0.unsqueeze(1)
        values = pairs.u[own].unsqueeze(2) * stretching.flatten(1).unsqueeze(1)
        values = torch.addcmul(values, w.unsqueeze(2), turning.unsqueeze(1))
        angular.index_add_(0, near_index[own] * len(present) + compact[other], values)
    angular = angular.unflatten(0, (count, len(present))).movedim(1, 2).flatten(2)
    radial = pairs.u[pairs.near].unsqueeze(2) * pairs.radial[1][pairs.near].unsqueeze(1)
    rows = torch.cat([radial, angular], 2)
    # Gaussian tails would be denormal numbers, on which many processors are slow
    return rows.masked_fill_(rows.abs() < 1e-30, 0.0)


def _angular_columns(geometry: Geometry, element: int, present: Tensor) -> Tensor:
    """Features of angles between neighbours of this element and of each one present."""
    constants = geometry.constants
    count = len(constants.angular_shifts) * len(constants.angular_sections)
    own = torch.full_like(present, element)
    pair = element_pair(geometry.elements, torch.minimum(own, present), torch.maximum(own, present))
    start = geometry.elements * len(constants.radial_shifts) + pair * count
    return (start.unsqueeze(1) + torch.arange(count, device=present.device)).flatten()


def _expansion(
    geometry: Geometry, local: Tensor, size: int, chosen: Tensor, place: Tensor, rows: int
) -> Tensor:
    """Map rows, those of the chosen pairs at their places, to Cartesian displacements: (rows, 3 N)."""
    pairs = geometry.pairs
    matrix = pairs.u.new_zeros(rows, size, 3)
    near = pairs.near[chosen]
    for atom, sign in ((pairs.neighbor, 1.0), (pairs.center, -1.0)):
        column = local[atom[chosen]]
        matrix[place[~near], column[~near]] = sign * pairs.u[chosen[~near]]
        for direction in range(3):
            matrix[place[near] + direction, column[near], direction] = sign
    return matrix.flatten(1)
