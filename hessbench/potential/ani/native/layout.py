"""Where everything stands: chunks of molecules, order of atoms, sizes. Depends on composition alone."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from hessbench.potential.ani.architecture import Architecture
from hessbench.potential.batch import element_indices

Ints = NDArray[np.int64]
Floats = NDArray[np.floating]

CHUNK_ATOMS = 26
"""Atoms of a chunk: its matrices fit the second-level cache, yet are large enough for BLAS."""


class Layout(NamedTuple):
    """A batch cut into chunks of molecules that contain the same elements, and what features there are.

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
    columns: Ints  # features that a neighbour of one element can touch in one set, set by set
    column_start: Ints  # (sets, E) where they begin
    radial_cutoff: float
    angular_cutoff: float
    radial: int  # features of an element
    angular: int  # features of a pair of elements
    pair_of: Ints  # (E, E) index of an unordered pair of elements


def layout_of(architecture: Architecture, numbers: Ints, counts: Ints) -> Layout:
    """Cut a batch into chunks; remembered, since MD and NEB ask again and again for the same molecules.

    Raises
    ------
    HessbenchError
        An atomic number that is none of the architecture's.
    """
    return _layout(architecture, numbers.tobytes(), counts.tobytes())


@lru_cache(64)
def _layout(architecture: Architecture, *content: bytes) -> Layout:
    numbers, counts = (np.frombuffer(item, np.int64).copy() for item in content)
    element = element_indices(architecture.elements, torch.from_numpy(numbers)).numpy()
    functions, elements = architecture.symmetry_functions, len(architecture.elements)
    radial = len(functions.radial_shifts)
    angular = len(functions.angular_shifts) * len(functions.angular_sections)
    low, high = np.triu_indices(elements)
    pair_of = np.zeros((elements, elements), np.int64)
    pair_of[low, high] = pair_of[high, low] = np.arange(len(low))
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
    angles = elements * radial + pair_of[:, :, None] * angular + np.arange(angular)  # (E, E, angular)
    columns = [
        np.concatenate([own * radial + np.arange(radial), angles[own, present == 1].ravel()])
        if present[own]
        else np.zeros(0, np.int64)
        for present in member
        for own in range(elements)
    ]
    lengths = [len(item) for item in columns]
    return Layout(
        order, element, molecule, start, np.concatenate([[0], np.cumsum((3 * counts) ** 2)]), slots,
        np.array(chunk_set), np.where(member == 1, np.cumsum(member, 1) - 1, -1), member.sum(1),
        np.concatenate(columns), np.reshape(np.cumsum(lengths) - lengths, member.shape),
        functions.radial_cutoff, functions.angular_cutoff, radial, angular, pair_of,
    )  # fmt: skip
