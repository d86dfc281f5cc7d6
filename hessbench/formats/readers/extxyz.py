"""Reader of extended XYZ with Hessians, through ASE.

Each frame has an energy, forces and optionally a Hessian: `hess` or a name with "hessian" in it among the
values of the frame, flat or (3N, 3N), or its rows as three columns of 3N of each atom. Frames of one
`reaction` (or `rxn`, `molecule`, `label`) and atom order make a reaction; without such a name, consecutive
frames do.
"""

import re
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.io import iread

from hessbench.data.layout import Metadata
from hessbench.errors import DataError
from hessbench.formats.readers.source import Source, StoredReaction, group_name, name_of
from hessbench.formats.unit_names import Units
from hessbench.system.reading import reading

FORMAT = "extended XYZ"
UNITS = Units("Angstrom", "eV", "eV/Angstrom", "eV/Angstrom^2")
"""ASE's units, unless the user knows better."""
NAMES = ("reaction", "rxn", "molecule", "label")
LONGEST = 1_000_000_000
"""Bytes of a comment at most; it may hold a Hessian."""
ENERGIES = ("energy", "REF_energy")
FORCES = ("forces", "REF_forces")


def recognise(path: Path) -> bool:
    """Whether the file begins with a number of atoms and a comment with Properties=."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        number, comment = file.readline(20).strip(), file.readline(LONGEST)
    return number.isdigit() and len(number) <= 6 and b"Properties=" in comment


def open_source(path: Path) -> Source:
    """Read all frames.

    Raises
    ------
    DataError
        The file is damaged, or a frame lacks energy or forces, or only some have Hessians.
    """
    with reading(path, "damaged or truncated extended XYZ"):
        _check_counts(path)
        frames = list(iread(path, index=":", format="extxyz"))
    if not frames:
        raise DataError(path, "no frames in it.")
    groups = _group(frames)

    def load(name: str) -> StoredReaction:
        return _reaction(path, name, groups[name])

    metadata = Metadata(name_of(path), *["unknown"] * 6)
    return Source(path, FORMAT, list(groups), load, UNITS, metadata)


def _check_counts(path: Path) -> None:
    """Find out whether each frame has as many lines as it says; ASE reads on beyond the end of the file.

    Raises
    ------
    ValueError
        One has not.
    """
    with path.open("rb") as file:
        frame = 0
        while start := file.readline(LONGEST).strip():
            frame += 1
            if not start.isdigit() or len(start) > 9:
                raise ValueError(f"frame {frame} begins with {start[:20]!r} instead of its number of atoms")
            lines = (file.readline(LONGEST) for _ in range(int(start) + 1))
            found = sum(1 for _ in takewhile(bool, lines)) - 1
            if found < int(start):
                raise ValueError(
                    f"frame {frame} claims {int(start)} atoms, the file ends after {max(found, 0)}"
                )
            place = file.tell()
            while file.readline(LONGEST).lstrip().startswith(b"VEC"):  # lattice vectors, by an old custom
                place = file.tell()
            file.seek(place)


def _group(frames: list[Atoms]) -> dict[str, list[Atoms]]:
    groups: dict[tuple[str, bytes], list[Atoms]] = {}
    serial, previous = -1, b""
    for atoms in frames:
        order = atoms.numbers.tobytes()
        given = next((str(atoms.info[key]) for key in NAMES if key in atoms.info), None)
        if given is None:
            serial += order != previous
            previous = order
        groups.setdefault((f"rxn{serial:06d}" if given is None else group_name(given), order), []).append(
            atoms
        )
    named: dict[str, list[Atoms]] = {}
    variants: dict[str, int] = {}
    for (name, _), members in groups.items():
        variant = variants[name] = variants.get(name, 0) + 1
        named[name if variant == 1 else f"{name}-{variant}"] = members
    return named


def _reaction(path: Path, name: str, frames: list[Atoms]) -> StoredReaction:
    atoms = len(frames[0])
    hessians = [_hessian(path, name, frame) for frame in frames]
    present = [hessian for hessian in hessians if hessian is not None]
    if present and len(present) < len(hessians):
        raise DataError(path, f"only {len(present)} of {len(hessians)} frames have a Hessian.", name)
    with reading(path, "energy or forces are no numbers", place=name):
        forces = np.stack([np.asarray(_value(path, name, frame, FORCES), dtype=float) for frame in frames])
        energies = [float(_value(path, name, frame, ENERGIES)) for frame in frames]
        forces = forces.reshape(len(frames), atoms, 3)
    coordinates = np.stack([frame.positions for frame in frames])
    return StoredReaction(
        name=name,
        numbers=frames[0].numbers,
        coordinates=coordinates,
        energies=np.array(energies),
        forces=forces,
        hessians=np.stack(present) if present else None,
        charge=_whole(path, name, frames, "charge", 0),
        multiplicity=_whole(path, name, frames, "multiplicity", 1),
    )


def _whole(path: Path, name: str, frames: list[Atoms], key: str, default: int) -> int:
    """Charge or multiplicity, one for all frames of a reaction."""
    values = {str(frame.info.get(key, default)) for frame in frames}
    if len(values) == 1 and re.fullmatch(r"[+-]?\d{1,6}(\.0*)?", next(iter(values)).strip()):
        return int(float(values.pop()))
    raise DataError(
        path, f"{key} must be one whole number for all frames, found {', '.join(sorted(values))}.", name
    )


def _value(path: Path, name: str, frame: Atoms, keys: tuple[str, ...]) -> Any:
    """Value of a frame under any of its names: of the calculator into which ASE puts it, else its own."""
    places = (frame.calc.results if frame.calc else {}, frame.info, frame.arrays)
    for place in places:
        for key in keys:
            if key in place:
                return place[key]
    raise DataError(path, f"a frame has no {keys[0]}.", name)


def _hessian(path: Path, name: str, frame: Atoms) -> np.ndarray | None:
    size = 3 * len(frame)
    for key, value in (*frame.info.items(), *frame.arrays.items()):
        if key != "hess" and "hessian" not in key.lower():
            continue
        try:
            array = np.asarray(value, dtype=float)
        except (ValueError, TypeError):
            continue  # a remark on the Hessian
        if array.size != size**2:
            raise DataError(path, f"a Hessian has {array.size} elements instead of {size**2}.", name)
        return array.reshape(size, size)
    return None
