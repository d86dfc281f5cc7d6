"""Where the kernels of the tangents find weights, states and tangents in flat arrays."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hessbench.potential.ani.native.build import NativeGeometry
from hessbench.potential.ani.native.layout import Floats, Ints


@dataclass(frozen=True)
class Places:
    """Where kernels find weights, states and tangents in flat arrays."""

    first_start: Ints  # (sets, E, E) packed first layers
    first_size: int
    state_start: Ints  # (E,)
    state_size: int
    tangent_start: Ints  # (C, E)
    tangent_sizes: list[int]  # one buffer, or without keeping one a thread


def places_of(geometry: NativeGeometry, keep: bool) -> Places:
    """Lay everything out; with `keep` every chunk and element has tangents of its own."""
    layout, shape, functions = geometry.layout, geometry.shape, geometry.functions
    elements = layout.chunk_slots.shape[1]
    member = layout.set_elements >= 0
    angular = len(functions.angular_shifts) * len(functions.cosines)
    columns = len(functions.radial_shifts) + angular * layout.set_size
    sizes = member[:, :, None] * member[:, None, :] * shape.width[None, :, :1] * columns[:, None, None]
    ends = np.cumsum(sizes.ravel())
    atoms = np.diff(geometry.first_slots)
    states = np.concatenate([[0], np.cumsum(atoms * shape.total)])
    rows = geometry.neighbors.row_start[layout.chunk_slots]
    tangent = (rows[:, :, 1] - rows[:, :, 0]) * shape.total
    tangent_ends = np.cumsum(tangent.ravel())
    if keep:
        wanted = [int(tangent_ends[-1])]
    else:
        wanted = [int(tangent[first:last].max()) for first, last in geometry.parts]
    return Places(
        (ends - sizes.ravel()).reshape(sizes.shape),
        int(ends[-1]),
        states[:elements],
        int(states[-1]),
        (tangent_ends - tangent.ravel()).reshape(tangent.shape),
        wanted,
    )


def copy_first_layers(
    copy: Callable[..., None], geometry: NativeGeometry, weights: Floats, places: Places, gathered: Floats
) -> None:
    """Gather packed first layers from flat weights, or scatter their gradients back."""
    layout, functions, shape = geometry.layout, geometry.functions, geometry.shape
    radial, angular = len(functions.radial_shifts), len(functions.angular_shifts) * len(functions.cosines)
    copy(
        layout.set_elements, radial, angular, functions.pair_of, shape.width[:, 0].copy(), shape.weight[:,
        0].copy(),
        geometry.features.shape[1], places.first_start, weights, gathered,
    )  # fmt: skip
