"""Structures in memory: all of a data set or a part of it, in flat ragged arrays."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from tqdm import tqdm

from hessbench.data.layout import Reaction, ReactionFile
from hessbench.errors import DataError


@dataclass(frozen=True)
class Structures:
    """M structures of different sizes with A atoms in all, one after another without padding.

    Attributes
    ----------
    numbers
        (A,) uint8 atomic numbers.
    coordinates
        (A, 3) float64, Angstrom.
    counts
        (M,) int64 atoms of each structure.
    energies
        (M,) float64, kcal/mol.
    forces
        (A, 3) float32, kcal/mol/Angstrom.
    hessians
        (sum (3N)^2,) float32, kcal/mol/Angstrom^2, each row-major, of the structures that have one; None if
        none of the data has.
    reactions
        (M,) int64 index into reaction_names.
    reaction_names
        Names of the reactions, also of those from which `select` left nothing.
    indices
        (M,) int64 number of the structure in its reaction.
    annotations
        Arrays of length M, those that every reaction has.
    states
        (M, 2) int64 charge and multiplicity; None: neutral, and the lowest multiplicity.
    labelled
        (M,) bool, which structures have a Hessian; None: all if `hessians` is given, else none.
    """

    numbers: np.ndarray
    coordinates: np.ndarray
    counts: np.ndarray
    energies: np.ndarray
    forces: np.ndarray
    hessians: np.ndarray | None
    reactions: np.ndarray
    reaction_names: tuple[str, ...]
    indices: np.ndarray
    annotations: dict[str, np.ndarray] = field(default_factory=dict)
    states: np.ndarray | None = None
    labelled: np.ndarray | None = None

    def __len__(self) -> int:
        """Number of structures."""
        return len(self.counts)

    @property
    def atom_offsets(self) -> np.ndarray:
        """(M + 1,) first atom of each structure, and A."""
        return _offsets(self.counts)

    @property
    def have_hessians(self) -> np.ndarray:
        """(M,) bool, which structures have a Hessian."""
        if self.labelled is not None:
            return self.labelled
        return np.full(len(self), self.hessians is not None)

    @property
    def hessian_offsets(self) -> np.ndarray:
        """(M + 1,) first Hessian element of each structure, and their number.

        A structure without a Hessian has no elements; where none has one, all count as if they had.
        """
        sizes = (3 * self.counts) ** 2
        return _offsets(sizes if self.labelled is None else np.where(self.labelled, sizes, 0))

    def select(self, indices: np.ndarray) -> "Structures":
        """Copy structures, in the order of their indices (integers, or a mask of length M)."""
        indices = np.asarray(indices)
        if indices.dtype == bool:
            indices = np.flatnonzero(indices)
        indices = indices.astype(np.int64)
        atoms = _ranges(self.atom_offsets, indices)
        return Structures(
            numbers=self.numbers[atoms],
            coordinates=self.coordinates[atoms],
            counts=self.counts[indices],
            energies=self.energies[indices],
            forces=self.forces[atoms],
            hessians=None if self.hessians is None else self.hessians[_ranges(self.hessian_offsets, indices)],
            reactions=self.reactions[indices],
            reaction_names=self.reaction_names,
            indices=self.indices[indices],
            annotations={key: value[indices] for key, value in self.annotations.items()},
            states=None if self.states is None else self.states[indices],
            labelled=None if self.labelled is None else self.labelled[indices],
        )


def load_structures(path: Path | str, names: Iterable[str] | None = None) -> Structures:
    """Load the structures of a data file.

    Parameters
    ----------
    path
        File in the layout of `hessbench.data.layout`.
    names
        Reactions to load, in this order; all, sorted by name, if None.

    Raises
    ------
    DataError
        See `ReactionFile`.
    """
    with ReactionFile(path) as file:
        chosen = file.names if names is None else list(names)
        bar = tqdm(chosen, desc=f"load {Path(path).name}", unit="reaction", delay=2, leave=False)
        return concatenate([file[name] for name in bar], path)


def concatenate(reactions: list[Reaction], source: object = "reactions") -> Structures:
    """Put the structures of reactions one after another.

    Raises
    ------
    DataError
        There are none; `source` is named.
    """
    if not reactions:
        raise DataError(source, "no reactions to load.")
    hessians = [
        reaction.hessians.ravel().astype(np.float32)
        for reaction in reactions
        if reaction.hessians is not None
    ]
    sizes = np.array([len(reaction) for reaction in reactions])
    keys = set.intersection(*(set(reaction.annotations) for reaction in reactions))
    return Structures(
        numbers=np.concatenate([np.tile(reaction.numbers, len(reaction)) for reaction in reactions]),
        coordinates=np.concatenate([reaction.coordinates.reshape(-1, 3) for reaction in reactions]),
        counts=np.repeat([len(reaction.numbers) for reaction in reactions], sizes).astype(np.int64),
        energies=np.concatenate([reaction.energies for reaction in reactions]),
        forces=np.concatenate([reaction.forces.reshape(-1, 3).astype(np.float32) for reaction in reactions]),
        hessians=np.concatenate(hessians) if hessians else None,
        reactions=np.repeat(np.arange(len(reactions)), sizes),
        reaction_names=tuple(reaction.name for reaction in reactions),
        indices=np.concatenate([np.arange(size) for size in sizes]),
        annotations={
            key: np.concatenate([reaction.annotations[key] for reaction in reactions]) for key in sorted(keys)
        },
        states=np.repeat(
            np.array([[reaction.charge, reaction.multiplicity] for reaction in reactions], dtype=np.int64),
            sizes,
            axis=0,
        ),
        labelled=np.repeat([reaction.hessians is not None for reaction in reactions], sizes)
        if 0 < len(hessians) < len(reactions)
        else None,
    )


def _offsets(sizes: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


def _ranges(offsets: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """Indices of all elements of the chosen pieces."""
    sizes = (offsets[1:] - offsets[:-1])[indices]
    starts = np.repeat(offsets[indices] - _offsets(sizes)[:-1], sizes)
    return starts + np.arange(sizes.sum())
