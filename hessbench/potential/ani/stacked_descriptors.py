"""Descriptors of one structure and their exact derivatives as tables, which all models of an ensemble share.

Nothing in G, J = dG/dx and K = d2G/dx2 depends on a model. For one structure they are small, so they are
computed once in float64, cut to the features that the elements present can switch on, and J of each atom is
split into as many rows as it has rank (it never exceeds 3 N - 6) and an orthonormal expansion to Cartesian
coordinates.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Self

import numpy as np
import torch
from torch import Tensor

from hessbench.potential.ani.architecture import Architecture
from hessbench.potential.ani.curvature import curvature_blocks
from hessbench.potential.ani.geometry import Geometry, build, directional_features
from hessbench.potential.ani.model import ANI
from hessbench.potential.ani.pure import cartesian_blocks
from hessbench.potential.batch import Batch

RANK = 1e-10
"""Singular values of J below this share of the largest one are zero."""


@dataclass(frozen=True)
class ElementTables:
    """The n atoms of one element.

    Attributes
    ----------
    element
        Index of the element in the model.
    features
        (n, F).
    rows, expansion
        (n, r, F) and (n, r, 3 N): the transposed J of an atom is expansion' rows.
    """

    element: int
    features: Tensor
    rows: Tensor
    expansion: Tensor


@dataclass(frozen=True)
class Descriptors:
    """One structure of N atoms; atoms are sorted by element.

    Attributes
    ----------
    architecture
        Says which descriptors.
    numbers
        (N,) atomic numbers in the structure's own order.
    columns
        (F,) the features kept, as indices into the model's.
    tables
        By element present.
    jacobian
        (N F, 3 N).
    curvature
        (N F, 3 N (3 N + 1) / 2), upper triangles of second derivatives.
    """

    architecture: Architecture
    numbers: np.ndarray
    columns: Tensor
    tables: list[ElementTables]
    jacobian: Tensor
    curvature: Tensor

    def map(self, change: Callable[[Tensor], Tensor]) -> Self:
        """Apply a change of device or dtype to all tables."""
        tables = [
            ElementTables(item.element, *map(change, (item.features, item.rows, item.expansion)))
            for item in self.tables
        ]
        return replace(
            self,
            columns=change(self.columns),
            tables=tables,
            jacobian=change(self.jacobian),
            curvature=change(self.curvature),
        )

    @property
    def size(self) -> int:
        """Number of coordinates, 3 N."""
        return self.jacobian.shape[1]


def describe(
    architecture: Architecture, numbers: np.ndarray, coordinates: np.ndarray, dtype: torch.dtype
) -> Descriptors:
    """Make the tables of one structure.

    Parameters
    ----------
    architecture
        Says which descriptors.
    numbers, coordinates
        (N,) and (N, 3), Angstrom.
    dtype
        Of the tables.
    """
    positions = tuple(tuple(row) for row in coordinates.tolist())
    return _described(architecture, tuple(numbers.tolist()), positions, dtype)


@lru_cache(maxsize=1)  # all stacks of an experiment are of one structure
def _described(
    architecture: Architecture,
    numbers: tuple[int, ...],
    positions: tuple[tuple[float, ...], ...],
    dtype: torch.dtype,
) -> Descriptors:
    batch = Batch.from_molecules([(numbers, positions)])
    geometry = build(_exact(architecture), batch)
    columns = present_features(architecture, np.array(numbers))
    atoms = torch.argsort(geometry.element, stable=True)
    size = 3 * len(numbers)
    directions = torch.eye(size, dtype=torch.float64).view(-1, 3, size)
    jacobian = directional_features(geometry, directions)[atoms][:, :, columns]  # (N, 3 N, F)
    curvature = _curvature(geometry, batch)[atoms][:, columns]
    tables = []
    for element in geometry.element.unique().tolist():
        own = geometry.element[atoms] == element
        rows, expansion = _split(jacobian[own])
        tables.append(
            ElementTables(
                element,
                geometry.features[atoms[own]][:, columns].to(dtype),
                rows.to(dtype),
                expansion.to(dtype),
            )
        )
    return Descriptors(
        architecture,
        np.array(numbers),
        columns,
        tables,
        jacobian.transpose(1, 2).reshape(-1, size).to(dtype),
        curvature.flatten(0, 1).to(dtype),
    )


def path_features(
    architecture: Architecture, numbers: np.ndarray, coordinates: np.ndarray, dtype: torch.dtype
) -> list[tuple[int, Tensor]]:
    """Features along a path: by element present its index and (P, n, F) of P structures.

    Parameters as in `describe`, coordinates (P, N, 3).
    """
    batch = Batch.from_molecules([(numbers.tolist(), item.tolist()) for item in coordinates])
    geometry = build(_exact(architecture), batch)
    columns = present_features(architecture, numbers)
    features = geometry.features[:, columns].unflatten(0, (len(coordinates), -1)).to(dtype)
    element = geometry.element[: len(numbers)]
    return [(item, features[:, element == item]) for item in element.unique().tolist()]


def present_features(architecture: Architecture, numbers: np.ndarray) -> Tensor:
    """Features that can differ from zero with these elements: of one of them, or of a pair of them."""
    functions, elements = architecture.symmetry_functions, len(architecture.elements)
    present = [number in set(numbers.tolist()) for number in architecture.numbers]
    radial = np.repeat(present, len(functions.radial_shifts))
    pairs = [present[i] and present[j] for i in range(elements) for j in range(i, elements)]
    angular = np.repeat(pairs, len(functions.angular_shifts) * len(functions.angular_sections))
    return torch.from_numpy(np.flatnonzero(np.concatenate([radial, angular])))


def _exact(architecture: Architecture) -> ANI:
    """Return some model in float64: its descriptors are wanted, its weights do not matter."""
    return ANI(architecture).double()


def _curvature(geometry: Geometry, batch: Batch) -> Tensor:
    """K (N, F, 3 N (3 N + 1) / 2): the Hessian g . K is linear in g, so its derivative by g is K."""
    count = len(batch.numbers)
    gradient = torch.zeros_like(geometry.features).requires_grad_()
    local = torch.arange(count)
    hessian = cartesian_blocks(
        geometry, curvature_blocks(geometry, gradient), local, batch.molecule, 1, count
    )
    upper = torch.triu_indices(3 * count, 3 * count)
    entries = hessian[0][upper[0], upper[1]]
    # all entries in one reverse pass
    (columns,) = torch.autograd.grad(
        entries, gradient, torch.eye(len(entries), dtype=torch.float64), is_grads_batched=True
    )
    return columns.permute(1, 2, 0)


def _split(jacobian: Tensor) -> tuple[Tensor, Tensor]:
    """Split J' (n, 3 N, F) of atoms into rows (n, r, F) and expansion (n, r, 3 N), r the largest rank."""
    left, singular, right = torch.linalg.svd(jacobian, full_matrices=False)
    rank = int((singular > RANK * singular[:, :1]).sum(1).max())
    return singular[:, :rank, None] * right[:, :rank], left[:, :, :rank].transpose(1, 2)
