"""What goes into a potential and what comes out: ragged batches of molecules, flat in memory."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Self

import numpy as np
import torch
from ase import Atoms
from ase.data import atomic_numbers
from numpy.typing import ArrayLike
from torch import Tensor

from hessbench.data.states import lowest_multiplicity, state_problem
from hessbench.data.structures import Structures
from hessbench.errors import HessbenchError, PotentialError


@dataclass(frozen=True)
class Batch:
    """Molecules of any sizes, one after the other.

    Attributes
    ----------
    numbers
        (A,) int64, atomic numbers of all atoms.
    coordinates
        (A, 3), Angstrom; its dtype is that of the results.
    counts
        (M,) int64 on the CPU, atoms of each molecule.
    states
        (M, 2) int64 on the CPU, charge and multiplicity of each; None: neutral, and the lowest multiplicity.
    """

    numbers: Tensor
    coordinates: Tensor
    counts: Tensor
    states: Tensor | None = None

    def __post_init__(self) -> None:
        atoms = int(self.counts.sum())
        if self.numbers.shape != (atoms,) or self.coordinates.shape != (atoms, 3):
            raise HessbenchError(
                f"Batch of {atoms} atoms by its counts, but numbers are {tuple(self.numbers.shape)} "
                f"and coordinates {tuple(self.coordinates.shape)}."
            )

        if self.states is not None and self.states.shape != (len(self.counts), 2):
            raise HessbenchError(
                f"Batch of {len(self.counts)} molecules, but states are {tuple(self.states.shape)}."
            )

    def __len__(self) -> int:
        """Return the number of molecules."""
        return len(self.counts)

    @cached_property
    def offsets(self) -> Tensor:
        """First atom of each molecule and, last, the number of atoms: (M + 1,) int64, CPU."""
        return _offsets(self.counts)

    @cached_property
    def hessian_offsets(self) -> Tensor:
        """First element of each molecule's Hessian in the flat array, and the total: (M + 1,) int64, CPU."""
        return _offsets((3 * self.counts) ** 2)

    @cached_property
    def molecule(self) -> Tensor:
        """Molecule of each atom, (A,) int64 on the device of the coordinates."""
        return self.there(torch.repeat_interleave(torch.arange(len(self.counts)), self.counts))

    def there(self, indices: Tensor) -> Tensor:
        """Copy indices to the device of the coordinates, without waiting for it."""
        return indices.to(self.coordinates.device, non_blocking=True)

    def to(self, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> Self:
        """Move to a device, or convert the coordinates."""
        return replace(
            self,
            numbers=self.numbers.to(device=device),
            coordinates=self.coordinates.to(device=device, dtype=dtype),
        )

    def slice(self, first: int, last: int) -> Self:
        """Molecules first to last - 1, without copying."""
        start, stop = int(self.offsets[first]), int(self.offsets[last])
        return type(self)(
            self.numbers[start:stop],
            self.coordinates[start:stop],
            self.counts[first:last],
            None if self.states is None else self.states[first:last],
        )

    def formula(self, molecule: int) -> str:
        """Chemical formula of one molecule."""
        start, stop = self.offsets[molecule : molecule + 2].tolist()
        return str(Atoms(self.numbers[start:stop].cpu().numpy()).get_chemical_formula())

    def state(self, molecule: int) -> tuple[int, int]:
        """Charge and multiplicity of one molecule.

        Raises
        ------
        PotentialError
            Its electrons cannot have them.
        """
        start, stop = self.offsets[molecule : molecule + 2].tolist()
        numbers = self.numbers[start:stop].cpu().numpy()
        if self.states is None:
            return 0, lowest_multiplicity(numbers)
        charge, multiplicity = self.states[molecule].tolist()
        if (wrong := state_problem(numbers, charge, multiplicity)) is not None:
            raise PotentialError(f"Molecule {molecule} ({self.formula(molecule)}): {wrong}.")
        return charge, multiplicity

    @classmethod
    def from_molecules(
        cls,
        molecules: Iterable[tuple[ArrayLike, ArrayLike]],
        dtype: torch.dtype = torch.float64,
    ) -> Self:
        """Join pairs of atomic numbers (N,) and coordinates (N, 3) in Angstrom."""
        numbers, coordinates = [], []
        for molecule_numbers, positions in molecules:
            numbers.append(torch.as_tensor(molecule_numbers, dtype=torch.int64))
            coordinates.append(torch.as_tensor(positions, dtype=dtype))
        if not numbers:
            raise HessbenchError("A batch needs at least one molecule.")
        counts = torch.tensor([len(item) for item in numbers])
        return cls(torch.cat(numbers), torch.cat(coordinates), counts)

    @classmethod
    def from_structures(cls, structures: Structures, dtype: torch.dtype) -> Self:
        """Make one batch of all these structures."""
        return cls(
            torch.as_tensor(structures.numbers.astype(np.int64)),
            torch.as_tensor(structures.coordinates, dtype=dtype),
            torch.as_tensor(structures.counts.astype(np.int64)),
            None if structures.states is None else torch.as_tensor(structures.states),
        )

    @classmethod
    def from_atoms(cls, atoms: Iterable[Atoms], dtype: torch.dtype = torch.float64) -> Self:
        """Join ASE Atoms, with `charge` and `spin` (multiplicity) of their info; periodic ones are refused.

        Raises
        ------
        HessbenchError
            A structure is periodic: the models here are of molecules.
        """
        structures = list(atoms)
        for index, item in enumerate(structures):
            if item.pbc.any():
                raise HessbenchError(
                    f"Structure {index} ({item.get_chemical_formula()}) is periodic; "
                    "only molecules are supported, set pbc to False."
                )
        batch = cls.from_molecules(((item.numbers, item.positions) for item in structures), dtype)
        if not any({"charge", "spin"} & set(item.info) for item in structures):
            return batch
        states = []
        for item in structures:
            charge = int(item.info.get("charge", 0))
            states.append([charge, int(item.info.get("spin", lowest_multiplicity(item.numbers, charge)))])
        return replace(batch, states=torch.tensor(states))


@dataclass(frozen=True)
class Prediction:
    """Results for a batch, kcal/mol and Angstrom; None stands for what was not asked for.

    Attributes
    ----------
    energies
        (M,), without the energies of the free atoms.
    forces
        (A, 3).
    hessians
        (sum of (3 N)^2,), row-major, one molecule after the other: see `Batch.hessian_offsets`.
    products
        (A, 3, k), products of the Hessian with k probes.
    """

    energies: Tensor
    forces: Tensor | None = None
    hessians: Tensor | None = None
    products: Tensor | None = None

    def to(self, device: torch.device | str) -> Self:
        """Move to a device."""
        parts = (self.energies, self.forces, self.hessians, self.products)
        return type(self)(*(None if item is None else item.to(device) for item in parts))  # type: ignore[arg-type]

    def __add__(self, other: Self) -> Self:
        """Add what another potential predicts for the same batch when it was asked for the same."""
        parts = (
            (self.energies, other.energies),
            (self.forces, other.forces),
            (self.hessians, other.hessians),
            (self.products, other.products),
        )
        return type(self)(*(None if a is None or b is None else a + b for a, b in parts))  # type: ignore[arg-type]

    def hessian(self, batch: Batch, molecule: int) -> Tensor:
        """Hessian of one molecule as a (3 N, 3 N) matrix."""
        if self.hessians is None:
            raise HessbenchError("There are no Hessians: ask `predict` for derivatives=2.")
        start, stop = batch.hessian_offsets[molecule : molecule + 2].tolist()
        size = 3 * int(batch.counts[molecule])
        return self.hessians[start:stop].view(size, size)


def element_indices(elements: tuple[str, ...], numbers: Tensor) -> Tensor:
    """Index of each atom's element among a potential's elements, (A,) int64.

    Parameters
    ----------
    elements
        Chemical symbols of the potential's elements.
    numbers
        (A,) atomic numbers.

    Raises
    ------
    HessbenchError
        An atomic number that is none of theirs.
    """
    lookup = _index_of_number(elements, numbers.device)
    indices = lookup[numbers.clamp(0, len(lookup) - 1)]
    bad = (indices < 0) | (numbers >= len(lookup)) | (numbers < 0)
    if bad.any():
        raise HessbenchError(
            f"Atomic numbers {sorted(set(numbers[bad].tolist()))} are unknown to this model, "
            f"which knows {', '.join(elements)}."
        )
    return indices


@cache
def _index_of_number(elements: tuple[str, ...], device: torch.device) -> Tensor:
    """Index of an element by its atomic number, -1 for others."""
    known = [atomic_numbers[symbol] for symbol in elements]
    lookup = torch.full((max(known) + 1,), -1)
    lookup[known] = torch.arange(len(known))
    return lookup.to(device)


def _offsets(sizes: Tensor) -> Tensor:
    return torch.cat([sizes.new_zeros(1), sizes.cumsum(0)])
