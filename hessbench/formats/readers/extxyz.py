"""Reader of extended XYZ with Hessians, through ASE.

Each frame has an energy, forces and optionally a Hessian, flat or (3N, 3N), or its rows as three columns of
3N of each atom; `hessbench.formats.readers.extxyz_labels` tells under which names. Frames of one `reaction`
(or `rxn`, `molecule`, `label`) and atom order make a reaction; without such a name, consecutive frames do.
Frames are counted from 0, as in ASE.
"""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
from ase import Atoms

from hessbench.data.layout import Metadata
from hessbench.data.states import CHARGE, MULTIPLICITY
from hessbench.errors import DataError
from hessbench.formats.readers.extxyz_frames import LONGEST, read_frames
from hessbench.formats.readers.extxyz_labels import SIMILAR, Labels, choose_labels, label_of, values_of
from hessbench.formats.readers.extxyz_states import (
    Frame,
    refuse_lost_state,
    stated_as,
    whole_number,
)
from hessbench.formats.readers.source import (
    Choice,
    Source,
    StoredReaction,
    group_name,
    name_of,
    name_variants,
    names_reactions,
)
from hessbench.formats.unit_names import Units, parse_unit

FORMAT = "extended XYZ"
UNITS = Units("Angstrom", "eV", "eV/Angstrom", "eV/Angstrom^2")
"""ASE's units, unless the user knows better."""
CHOICES = ("energy_key", "forces_key", "hessian_key", "drop_cell")
"""What can be picked, see `hessbench.formats.readers.source.Choice`."""
NAMES = ("reaction", "rxn", "molecule", "label")
TAKEN = (*NAMES, *CHARGE, *MULTIPLICITY, "numbers", "positions")
"""Values of a frame that the layout keeps, besides the labels."""
ISOLATED = "isolatedatom"
"""`config_type` of single atoms, of which a model learns the energies of free atoms."""


def recognise(path: Path) -> bool:
    """Whether the file begins with a number of atoms and a comment with Properties=."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        number, comment = file.readline(20).strip(), file.readline(LONGEST)
    return number.isdigit() and len(number) <= 6 and b"Properties=" in comment


def open_source(path: Path, choice: Choice) -> Source:
    """Read all frames.

    Parameters
    ----------
    path
        The file.
    choice
        Which labels are read, and whether cells are left out.

    Raises
    ------
    DataError
        The file is damaged or periodic, has no consistent set of labels, or a frame lacks some of them.
    """
    every = [Frame(number, atoms) for number, atoms in enumerate(read_frames(path))]
    frames = [frame for frame in every if not _isolated(frame.atoms)]
    if not frames:
        raise DataError(path, f"no frames in it{' but isolated atoms' if every else ''}.")
    notes = []
    if len(frames) < len(every):
        skipped = [frame.place for frame in every if _isolated(frame.atoms)]
        notes.append(f"isolated atoms are skipped: {_few(skipped)}")
    notes += _cells(path, frames, choice.drop_cell)
    labels = choose_labels(path, (frame.atoms for frame in frames), choice)
    groups, about = _group(frames, labels)
    notes += [*labels.notes, *about, *_aside(frames, labels)]

    def load(name: str) -> StoredReaction:
        return _reaction(path, name, groups[name], labels)

    metadata = Metadata(name_of(path), *["unknown"] * 6)
    units = _units(path, frames, labels)
    return Source(path, FORMAT, list(groups), load, units, metadata, notes=tuple(notes))


def _isolated(atoms: Atoms) -> bool:
    kind = str(atoms.info.get("config_type", "")).lower().replace("_", "")
    return len(atoms) == 1 and kind == ISOLATED


def _few(items: list[str]) -> str:
    return ", ".join(items if len(items) <= 5 else [*items[:4], f"... {len(items)} in all"])


def _cells(path: Path, frames: list[Frame], drop: bool) -> list[str]:
    """Say which cells are left out.

    Raises
    ------
    DataError
        A frame is periodic, and that was not to be left out.
    """
    with_cell = [frame for frame in frames if frame.atoms.cell.any()]
    periodic = next((frame for frame in frames if frame.atoms.pbc.any()), None)
    if periodic is not None and not drop:
        lengths = " x ".join(f"{length:.3f}" for length in periodic.atoms.cell.lengths())
        directions = " ".join("T" if item else "F" for item in periodic.atoms.pbc)
        raise DataError(
            path,
            f"{periodic.place} is periodic (pbc {directions}, cell {lengths} Angstrom), but the layout holds "
            "molecules; if it is a molecule in a box, --drop-cell takes it for one.",
        )
    if not with_cell and periodic is None:
        return []
    why = "as asked for" if drop else "since pbc is F F F"
    return [f"cells are left out, {why}: {_few([frame.place for frame in with_cell or frames])}"]


def _aside(frames: list[Frame], labels: Labels) -> list[str]:
    """Say which values of the frames the layout has no place for."""
    taken = {*TAKEN, labels.energy, labels.forces, labels.hessian}
    keys = dict.fromkeys(key for frame in frames for key in values_of(frame.atoms))
    left = [key for key in keys if key not in taken and not SIMILAR.search(key)]
    left += ["constraints"] if any(frame.atoms.constraints for frame in frames) else []
    return [f"not taken over: {', '.join(left)}"] if left else []


def _units(path: Path, frames: list[Frame], labels: Labels) -> Units:
    """Units of ASE, unless a remark such as hessian_unit="Hartree/Bohr^2" or energy-unit says otherwise."""
    found: dict[str, str] = {}
    for quantity, key in (
        ("energies", labels.energy),
        ("forces", labels.forces),
        ("hessians", labels.hessian),
    ):
        name = str(key).lower()
        remarks = {f"{word}_{unit}" for word in (name, name.removesuffix("s")) for unit in ("unit", "units")}
        for frame in frames:
            for remark in (key for key in frame.atoms.info if key.lower().replace("-", "_") in remarks):
                text = str(frame.atoms.info[remark])
                unit = parse_unit(quantity, text)
                if unit is None or found.get(quantity, unit) != unit:
                    raise DataError(
                        path,
                        f"{frame.place} says {remark}={text}, which is "
                        f"{'no known unit' if unit is None else 'not that of the frames before'}; rename it, "
                        "and state the unit.",
                    )
                found[quantity] = unit
    return replace(UNITS, **found)


def _group(frames: list[Frame], labels: Labels) -> tuple[dict[str, list[Frame]], list[str]]:
    """Frames of each reaction, and notes.

    The layout has Hessians for all structures of a reaction or none, so frames without are kept apart.
    """
    given = [
        next((str(frame.atoms.info[key]) for key in NAMES if key in frame.atoms.info), None)
        for frame in frames
    ]
    meant = names_reactions(
        (name, np.sort(frame.atoms.numbers).tobytes())
        for name, frame in zip(given, frames, strict=True)
        if name is not None
    )
    groups: dict[tuple[str, bytes, bool], list[Frame]] = {}
    serial, previous = -1, b""
    for name, frame in zip(given, frames, strict=True):
        order, labelled = frame.atoms.numbers.tobytes(), labels.hessian in values_of(frame.atoms)
        if name is None or not meant:
            state = order + repr([stated_as(frame.atoms, keys) for keys in (CHARGE, MULTIPLICITY)]).encode()
            serial += state != previous
            previous = state
            groups.setdefault((f"rxn{serial:06d}", order, labelled), []).append(frame)
        else:
            groups.setdefault((group_name(name), order, labelled), []).append(frame)
    named = dict(zip(name_variants(name for name, *_ in groups), groups.values(), strict=True))
    note = "what should name a reaction is the same for different compositions: consecutive frames make one"
    return named, [] if meant else [note]


def _reaction(path: Path, name: str, frames: list[Frame], labels: Labels) -> StoredReaction:
    atoms = len(frames[0].atoms)
    with_hessian = labels.hessian in values_of(frames[0].atoms)  # by which they were grouped
    energies, forces = np.full(len(frames), np.nan), np.full((len(frames), atoms, 3), np.nan)
    hessians = np.full((len(frames), 3 * atoms, 3 * atoms), np.nan) if with_hessian else None
    faults: dict[int, str] = {}
    for index, frame in enumerate(frames):
        try:
            energies[index] = _label(path, frame, labels.energy, ())
            forces[index] = labels.sign * _label(path, frame, labels.forces, (atoms, 3))
            if hessians is not None and labels.hessian is not None:
                hessians[index] = _label(path, frame, labels.hessian, (3 * atoms, 3 * atoms))
        except DataError as error:
            faults[index] = error.problem
    stored = StoredReaction(
        name=name,
        numbers=frames[0].atoms.numbers,
        coordinates=np.stack([frame.atoms.positions for frame in frames]),
        energies=energies,
        forces=forces,
        hessians=hessians,
        charge=whole_number(path, name, frames, CHARGE),
        multiplicity=whole_number(path, name, frames, MULTIPLICITY),
        places=tuple(frame.place for frame in frames),
        faults=faults,
    )
    refuse_lost_state(path, name, frames, stored)
    return stored


def _label(path: Path, frame: Frame, key: str, shape: tuple[int, ...]) -> np.ndarray:
    numbers = label_of(path, frame.place, frame.atoms, key)
    size = math.prod(shape)
    if numbers.size != size:
        raise DataError(path, f"{key} of {frame.place} has {numbers.size} numbers instead of {size}.")
    if key in frame.atoms.info and numbers.shape == (3, 3) and (numbers != numbers.T).any():
        # ASE reads nine numbers as a lattice, column by column.
        raise DataError(path, f"{key} of {frame.place} stands in its second line; write it as columns.")
    return numbers.reshape(shape)
