"""Where everything stands: chunks of molecules, order of atoms, sizes. Depends on composition alone."""

from collections import OrderedDict
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hessbench.potential.ani.architecture import Architecture
from hessbench.potential.ani.terms import constants_of

Ints = NDArray[np.int64]
Floats = NDArray[np.floating]

CHUNK_ATOMS = 26
"""Atoms of a chunk: its matrices fit the second-level cache, yet are large enough for BLAS."""


class Layout(NamedTuple):
    """A batch cut into chunks of molecules that contain the same elements.

    Slots are the atoms sorted by element, then chunk: what networks and matrix products see is contiguous.
    """

    order: Ints  # (A,) atom of each slot
    element: Ints  # (A,) of each atom
    molecule: Ints  # (A,) of each atom
    start: Ints  # (M + 1,) first atom of each molecule
    hessian_start: Ints  # (M + 1,) in the flat Hessians
    chunk_slots: Ints  # (C, E, 2) first and last + 1 slot of each chunk and element
    chunk_set: Ints  # (C,) the set of elements
    set_elements: Ints  # (sets, E) rank of each element within the set, -1 if absent
    set_size: Ints  # (sets,)

    @property
    def chunks(self) -> int:
        """Number of chunks."""
        return len(self.chunk_set)


class Functions(NamedTuple):
    """Constants of the symmetry functions."""

    scalars: NDArray[np.float64]  # radial and angular cutoff, radial and angular eta, zeta, smooth (0 or 1)
    radial_shifts: NDArray[np.float64]
    angular_shifts: NDArray[np.float64]
    cosines: NDArray[np.float64]  # of the angular sections
    sines: NDArray[np.float64]
    pair_of: Ints  # (E, E) index of an unordered pair of elements


class Shape(NamedTuple):
    """Widths and places of the weights of all networks, flat in memory."""

    depth: Ints  # (E,) hidden layers
    width: Ints  # (E, max depth)
    total: Ints  # (E,) sum of the widths
    weight: Ints  # (E, max depth) first element of each hidden layer's weight
    out: Ints  # (E,) of the last layer's weight
    bias: Ints  # (E,) of the biases of all layers
    features: int
    size: int  # all weights
    biases: int  # all biases


@cache
def functions_of(architecture: Architecture) -> Functions:
    """Collect the constants for the kernels."""
    constants = constants_of(architecture.symmetry_functions)
    elements = len(architecture.elements)
    low, high = np.triu_indices(elements)
    pair_of = np.zeros((elements, elements), np.int64)
    pair_of[low, high] = pair_of[high, low] = np.arange(len(low))
    sections = np.array(constants.angular_sections)
    return Functions(
        np.array(
            [
                constants.radial_cutoff,
                constants.angular_cutoff,
                constants.radial_eta,
                constants.angular_eta,
                constants.zeta,
                float(constants.cutoff == "smooth"),
            ]
        ),
        np.array(constants.radial_shifts),
        np.array(constants.angular_shifts),
        np.cos(sections),
        np.sin(sections),
        pair_of,
    )


@cache
def shape_of(architecture: Architecture) -> Shape:
    """Lay the weights of all layers out one after the other, element by element, and so the biases."""
    elements, deepest = len(architecture.hidden), max(len(widths) for widths in architecture.hidden)
    width = np.zeros((elements, deepest), np.int64)
    weight = np.zeros((elements, deepest), np.int64)
    out = np.zeros(elements, np.int64)
    place = 0
    for element, widths in enumerate(architecture.hidden):
        inputs = architecture.features
        for layer, outputs in enumerate(widths):
            width[element, layer], weight[element, layer] = outputs, place
            place += outputs * inputs
            inputs = outputs
        out[element] = place
        place += inputs
    depth = np.array([len(widths) for widths in architecture.hidden])
    total = width.sum(1)
    bias = np.cumsum(total + 1) - total - 1
    return Shape(depth, width, total, weight, out, bias, architecture.features, place, int((total + 1).sum()))


_RECENT: OrderedDict[tuple[bytes, bytes, int], Layout] = OrderedDict()


def layout_of(element: Ints, counts: Ints, elements: int) -> Layout:
    """Cut a batch into chunks; remembered, since MD and NEB ask again and again for the same molecules."""
    key = (element.tobytes(), counts.tobytes(), elements)
    known = _RECENT.get(key)
    if known is None:
        known = _RECENT[key] = _new_layout(element, counts, elements)
        if len(_RECENT) > 64:
            _RECENT.popitem(last=False)
    return known


def _new_layout(element: Ints, counts: Ints, elements: int) -> Layout:
    start = np.concatenate([[0], np.cumsum(counts)])
    molecule = np.repeat(np.arange(len(counts)), counts)
    sets = np.bitwise_or.reduceat(1 << element, start[:-1])
    distinct, set_of_molecule = np.unique(sets, return_inverse=True)
    chunk_of_molecule = np.zeros(len(counts), np.int64)
    chunk_set: list[int] = []
    atoms = 0
    for index in np.lexsort((counts, set_of_molecule)):
        count, own = int(counts[index]), int(set_of_molecule[index])
        if not chunk_set or chunk_set[-1] != own or atoms + count > CHUNK_ATOMS:
            chunk_set.append(own)
            atoms = 0
        atoms += count
        chunk_of_molecule[index] = len(chunk_set) - 1
    chunk = chunk_of_molecule[molecule]
    key = element * len(chunk_set) + chunk
    order = np.argsort(key, kind="stable")
    cells = np.arange(elements) * len(chunk_set) + np.arange(len(chunk_set))[:, None]  # (C, E)
    slots = np.stack([np.searchsorted(key[order], cells), np.searchsorted(key[order], cells, "right")], 2)
    member = (distinct[:, None] >> np.arange(elements)) & 1
    return Layout(
        order,
        element,
        molecule,
        start,
        np.concatenate([[0], np.cumsum((3 * counts) ** 2)]),
        slots,
        np.array(chunk_set),
        np.where(member == 1, np.cumsum(member, 1) - 1, -1),
        member.sum(1),
    )
