"""The sparse Jacobian of the descriptors: packed blocks, rows of an atom, and their way to 3N x 3N.

A near neighbour (within the angular cutoff) owns three rows, one a Cartesian direction; a far one
owns one row along u. The centre's own columns are minus the sum of its neighbours' and never stored.
A row of a neighbour of element t holds only the features that contain t, so rows are packed in blocks
of one central element and one neighbour element.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from hessbench.potential.ani.geometry import Geometry, cosine_gradients, count, element_pair


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

    Pairs are sorted by the centre's element, near ones first, then by the neighbour's element, so that
    every block is a slice, and a GPU is waited for once, for the lengths of all of them.

    Parameters
    ----------
    geometry
        The batch.
    local
        (A,) index of each atom within its molecule.
    size
        N, atoms of the largest molecule.
    """
    pairs, elements = geometry.pairs, geometry.elements
    present = [element for element, atoms in enumerate(geometry.atoms) if len(atoms)]
    widths = torch.where(pairs.near, 3, 1)
    before = torch.cumsum(widths, 0) - widths
    first_pair = torch.searchsorted(pairs.center, pairs.center)
    row = before - before[first_pair] if len(before) else before  # first row of each pair in its atom
    own = geometry.element[pairs.center]
    group = (2 * own + ~pairs.near) * elements + pairs.element
    tallest = torch.zeros(elements, dtype=row.dtype, device=row.device)
    tallest = tallest.scatter_reduce(0, own, row + widths, "amax")
    numbers = torch.cat([count(group, 2 * elements**2), tallest]).tolist()
    heights = numbers[2 * elements**2 :]
    order = torch.argsort(group, stable=True)
    slices = order.split(numbers[: 2 * elements**2])
    place = _ranks(geometry)[pairs.center] * tallest[own] + row
    near = [slices[2 * elements * element : elements * (2 * element + 1)] for element in range(elements)]
    far = [slices[elements * (2 * element + 1) : 2 * elements * (element + 1)] for element in range(elements)]
    near_values = _near_values(geometry, torch.cat([torch.cat(item) for item in near]), present)
    directions = torch.arange(3, device=place.device)
    result: list[ElementRows | None] = [None] * elements
    done = 0  # near pairs of elements before
    for element in present:
        if not heights[element]:
            continue
        blocks, positions = [], []
        for other in present:
            radial = torch.arange(pairs.radial[1].shape[1], device=place.device)
            radial = radial + other * len(radial)
            chosen = near[element][other]
            if len(chosen):
                columns = torch.cat([radial, _angular_columns(geometry, other, present)])
                values = near_values[done : done + len(chosen)].flatten(0, 1)
                blocks.append(Block(values, columns, (other, *present)))
                positions.append((place[chosen].unsqueeze(1) + directions).flatten())
                done += len(chosen)
            chosen = far[element][other]
            if len(chosen):
                blocks.append(Block(pairs.radial[1][chosen], radial, (other,)))
                positions.append(place[chosen])
        atoms, height = geometry.atoms[element], heights[element]
        expansion = pairs.u.new_zeros(len(atoms) * height, size, 3)
        _expand_near(expansion, geometry, local, torch.cat(near[element]), place)
        _expand_far(expansion, geometry, local, torch.cat(far[element]), place)
        result[element] = ElementRows(
            atoms, blocks, torch.cat(positions), height, expansion.flatten(1).unflatten(0, (-1, height))
        )
    return result


def _ranks(geometry: Geometry) -> Tensor:
    """Place of each atom among those of its element, (A,)."""
    ranks = torch.empty_like(geometry.element)
    lengths = [len(atoms) for atoms in geometry.atoms]
    counted = torch.cat([torch.arange(length, device=ranks.device) for length in lengths])
    ranks[torch.cat(geometry.atoms)] = counted
    return ranks


def _near_values(geometry: Geometry, near: Tensor, present: Sequence[int]) -> Tensor:
    """Rows of these near pairs, (pairs, 3, K + present x N Z), angles by the third atom's element."""
    pairs, triples = geometry.pairs, geometry.triples
    place = torch.empty_like(pairs.center)
    place[near] = torch.arange(len(near), device=near.device)
    lookup = torch.zeros(geometry.elements, dtype=torch.int64)
    lookup[list(present)] = torch.arange(len(present))
    compact = lookup.to(near.device, non_blocking=True)[pairs.element]
    (f1, g1, _), (f2, g2, _) = triples.cutoffs
    w1, w2 = cosine_gradients(pairs, triples)
    h0, h1, _ = triples.shells
    a0, a1, _ = triples.angles
    f = f1 * f2
    turning = ((h0 * f.unsqueeze(1)).unsqueeze(2) * a1.unsqueeze(1)).flatten(1)
    angular = turning.new_zeros(len(near) * len(present), 3, turning.shape[1])
    for own, other, w, slope in (
        (triples.first, triples.second, w1, g1 * f2),
        (triples.second, triples.first, w2, f1 * g2),
    ):
        stretching = (0.5 * h1 * f.unsqueeze(1) + h0 * slope.unsqueeze(1)).unsqueeze(2) * a0.unsqueeze(1)
        values = pairs.u[own].unsqueeze(2) * stretching.flatten(1).unsqueeze(1)
        values = torch.addcmul(values, w.unsqueeze(2), turning.unsqueeze(1))
        angular.index_add_(0, place[own] * len(present) + compact[other], values)
    angular = angular.unflatten(0, (len(near), len(present))).movedim(1, 2).flatten(2)
    rows = torch.cat([pairs.u[near].unsqueeze(2) * pairs.radial[1][near].unsqueeze(1), angular], 2)
    if (
        rows.device.type == "cpu"
    ):  # Gaussian tails would be denormal numbers, on which many processors are slow
        rows.masked_fill_(rows.abs() < 1e-30, 0.0)
    return rows


def _angular_columns(geometry: Geometry, element: int, present: Sequence[int]) -> Tensor:
    """Features of angles between neighbours of this element and of each one present."""
    constants, elements = geometry.constants, geometry.elements
    count = len(constants.angular_shifts) * len(constants.angular_sections)
    start = elements * len(constants.radial_shifts)
    columns = torch.arange(count, device=geometry.element.device)
    return torch.cat(
        [
            columns + start + count * element_pair(elements, min(element, other), max(element, other))
            for other in present
        ]
    )


def _expand_near(expansion: Tensor, geometry: Geometry, local: Tensor, near: Tensor, place: Tensor) -> None:
    """Write how rows of near pairs act on Cartesian displacements, in (rows, N, 3): one row a direction."""
    directions = torch.arange(3, device=near.device)
    rows = place[near].unsqueeze(1) + directions
    for atom, sign in ((geometry.pairs.neighbor, 1.0), (geometry.pairs.center, -1.0)):
        expansion[rows, local[atom[near]].unsqueeze(1), directions] = sign


def _expand_far(expansion: Tensor, geometry: Geometry, local: Tensor, far: Tensor, place: Tensor) -> None:
    """The same for far pairs: one row along u."""
    along = geometry.pairs.u[far]
    for atom, sign in ((geometry.pairs.neighbor, 1.0), (geometry.pairs.center, -1.0)):
        expansion[place[far], local[atom[far]]] = sign * along
