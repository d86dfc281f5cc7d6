"""What every reader gives: reactions as they are stored, and what the file or its format says about them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from hessbench.data.layout import Metadata, Reaction
from hessbench.data.states import lowest_multiplicity, state_problem
from hessbench.errors import DataError
from hessbench.formats.unit_names import Units

DAMAGED = "a damaged or truncated HDF5 file"
REMEDY = "fetch it again"
"""What is said of a file of HDF5 that its library cannot read."""
ASYMMETRY = 0.02
"""Largest |H - H^T| of a Hessian by finite differences, in units of its largest element; more is damage."""


@dataclass(frozen=True)
class StoredReaction:
    """Structures of one composition and atom order, in whatever units their file holds.

    Attributes
    ----------
    name
        Unique in the file.
    numbers
        (N,) atomic numbers.
    coordinates, energies, forces, hessians
        (n, N, 3), (n,), (n, N, 3), and (n, 3N, 3N) or None.
    annotations
        Further arrays whose first axis is n.
    charge, multiplicity
        Of the molecule; None if the file does not state them: neutral, and the lowest multiplicity.
    places
        Where in the file each structure is, for people, such as "record 10"; empty: as "structure 0", ...
    faults
        Index of a structure that could not be read to the reason; its numbers mean nothing.
    """

    name: str
    numbers: np.ndarray
    coordinates: np.ndarray
    energies: np.ndarray
    forces: np.ndarray
    hessians: np.ndarray | None = None
    annotations: dict[str, np.ndarray] = field(default_factory=dict)
    charge: int | None = None
    multiplicity: int | None = None
    places: tuple[str, ...] = ()
    faults: dict[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        """Number of structures."""
        return len(self.energies)

    def place(self, index: int) -> str:
        """Where in the file a structure is."""
        return self.places[index] if self.places else f"structure {index}"

    def select(self, indices: Sequence[int]) -> "StoredReaction":
        """Keep some of the structures."""
        chosen = np.array(indices, dtype=int)
        return replace(
            self,
            coordinates=self.coordinates[chosen],
            energies=self.energies[chosen],
            forces=self.forces[chosen],
            hessians=None if self.hessians is None else self.hessians[chosen],
            annotations={key: value[chosen] for key, value in self.annotations.items()},
            places=tuple(self.place(index) for index in indices),
            faults={new: self.faults[old] for new, old in enumerate(indices) if old in self.faults},
        )

    def first(self, structures: int) -> "StoredReaction":
        """Keep at most so many structures."""
        return self.select(range(min(structures, len(self))))

    def convert(self, units: Units, path: Path) -> Reaction:
        """Convert to kcal/mol and Angstrom; Hessians by finite differences are made symmetric.

        Raises
        ------
        DataError
            Arrays do not fit together, hold numbers that are not finite or unknown elements, or a Hessian is
            not symmetric.
        """
        self.check(path)
        return Reaction(
            name=self.name,
            numbers=self.numbers.astype(np.uint8),
            coordinates=self.coordinates * units.size("coordinates"),
            energies=self.energies * units.size("energies"),
            forces=self.forces * units.size("forces"),
            hessians=None
            if self.hessians is None
            else (self.hessians + self.hessians.transpose(0, 2, 1)) * (units.size("hessians") / 2),
            annotations=self.annotations,
            charge=self.state[0],
            multiplicity=self.state[1],
        )

    @property
    def state(self) -> tuple[int, int]:
        """Charge and multiplicity, assumed where they are not stated."""
        charge = self.charge or 0
        multiplicity = self.multiplicity
        return charge, lowest_multiplicity(self.numbers, charge) if multiplicity is None else multiplicity

    def check_lengths(self, path: Path) -> None:
        """Raise a DataError unless there are as many of everything as there are structures."""
        others = {"coordinates": self.coordinates, "forces": self.forces, "hessians": self.hessians}
        for key, array in {**others, **self.annotations}.items():
            if array is not None and len(array) != len(self):
                raise DataError(path, f"{len(self)} energies, but {len(array)} of {key}.", self.name)

    def check(self, path: Path) -> None:
        """Raise a DataError unless the arrays are whole and fit together."""
        if self.faults:
            raise DataError(path, f"{next(iter(self.faults.values())).rstrip('.')}.", self.name)
        atoms, structures = len(self.numbers), len(self.energies)
        if not atoms or not structures:
            raise DataError(path, "no atoms or no structures.", self.name)
        if not ((self.numbers >= 1) & (self.numbers <= 118)).all():
            raise DataError(path, f"{self.numbers.tolist()} are no atomic numbers.", self.name)
        wrong = state_problem(self.numbers, *self.state)
        if wrong is not None:
            raise DataError(path, f"{wrong}; correct what the file states.", self.name)
        shapes = {
            "coordinates": (structures, atoms, 3),
            "energies": (structures,),
            "forces": (structures, atoms, 3),
            "hessians": (structures, 3 * atoms, 3 * atoms),
        }
        for key, shape in shapes.items():
            array = getattr(self, key)
            if array is None:
                continue
            if array.shape != shape:
                raise DataError(path, f"{key} has the shape {array.shape}, expected {shape}.", self.name)
            finite = np.isfinite(array).reshape(structures, -1).all(axis=1)
            if not finite.all():
                place = self.place(int(np.argmin(finite)))
                raise DataError(path, f"{key} holds numbers that are not finite ({place}).", self.name)
        if self.hessians is not None:
            asymmetry = np.abs(self.hessians - self.hessians.transpose(0, 2, 1)).max(axis=(1, 2))
            largest = np.abs(self.hessians).max(axis=(1, 2))
            worst = int(np.argmax(asymmetry - ASYMMETRY * largest))
            if asymmetry[worst] > ASYMMETRY * largest[worst]:
                raise DataError(
                    path,
                    f"a Hessian is not symmetric ({self.place(worst)}): |H - H^T| reaches "
                    f"{asymmetry[worst]:.3g}, the largest element is {largest[worst]:.3g}.",
                    self.name,
                )


@dataclass(frozen=True)
class Choice:
    """What of a file is read, where it holds several things that could be meant; None: by rule.

    Attributes
    ----------
    energy_key, forces_key, hessian_key
        Names of the labels; the last may be "none".
    one_level
        Level of theory, as it is named when a file of several is refused.
    drop_cell
        Take periodic structures for molecules.
    """

    energy_key: str | None = None
    forces_key: str | None = None
    hessian_key: str | None = None
    one_level: str | None = None
    drop_cell: bool = False


def unstated(path: Path, form: str, level: str = "unknown") -> Metadata:
    """Say of a file that its form proves nothing: whose data it holds, and at which level, is to be stated.

    Parameters
    ----------
    path
        The file, after which the data are named.
    form
        Whose form it has, with a reference.
    level
        Of theory, where the file itself names it.
    """
    return Metadata(
        name_of(path), "unknown", level, f"a file in the form of {form}", "unknown", "unknown", "unknown"
    )


def name_of(path: Path) -> str:
    """Name a data set after its file, whatever the characters of that."""
    return path.stem.encode(errors="replace").decode()


def group_name(text: str) -> str:
    """Name of a reaction that HDF5 can give to a group."""
    name = text.replace("/", "_")
    return name if name not in ("", ".") else "_"


@dataclass(frozen=True)
class Source:
    """A data file of any format, open for reading one reaction at a time.

    Attributes
    ----------
    path
        The file (or directory).
    format
        Its format, for people.
    names
        Of all reactions.
    load
        Read one of them.
    units
        Units that the file or its format declares.
    metadata
        What the file or its format says about the data.
    problems
        What is wrong with the file as a whole.
    notes
        What was decided in reading it that its user should know.
    close
        Release the file.
    """

    path: Path
    format: str
    names: Sequence[str]
    load: Callable[[str], StoredReaction]
    units: Units
    metadata: Metadata
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    close: Callable[[], None] = lambda: None

    def __enter__(self) -> "Source":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[StoredReaction]:
        """Read all reactions."""
        return (self.load(name) for name in self.names)

    def sample_names(self, reactions: int) -> list[str]:
        """Names of reactions evenly spread over the file."""
        chosen = np.unique(np.linspace(0, len(self.names) - 1, reactions).astype(int))
        return [self.names[index] for index in chosen]


def name_variants(names: Iterable[str]) -> list[str]:
    """Tell groups of one reaction apart: "rxn000167", "rxn000167-2" (see `hessbench.data.split.families`)."""
    seen: dict[str, int] = {}
    told = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        told.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return told


def names_reactions(names: Iterable[tuple[str, bytes]]) -> bool:
    """Whether a field of each structure is what its name says, the reaction it belongs to.

    Structures of one reaction are of one composition; a field in which most groups are not (the same number
    everywhere, say) means something else.

    Parameters
    ----------
    names
        For each structure that has the field, its value and its sorted atomic numbers.
    """
    compositions: dict[str, set[bytes]] = {}
    for name, composition in names:
        compositions.setdefault(name, set()).add(composition)
    mixed = sum(len(found) > 1 for found in compositions.values())
    return mixed <= len(compositions) / 2
