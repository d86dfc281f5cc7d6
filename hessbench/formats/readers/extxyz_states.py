"""Charge and multiplicity of the frames of extended XYZ."""

import re
from dataclasses import dataclass
from pathlib import Path

from ase import Atoms

from hessbench.data.states import HALF
from hessbench.errors import DataError
from hessbench.formats.readers.source import StoredReaction

NOTHING = "nothing"


@dataclass(frozen=True)
class Frame:
    """A frame and its number in the file."""

    number: int
    atoms: Atoms

    @property
    def place(self) -> str:
        """Which frame it is, for people."""
        return f"frame {self.number}"


def stated_as(atoms: Atoms, keys: tuple[str, ...]) -> str | None:
    """First of several values that a frame has, as text."""
    return next((str(atoms.info[key]) for key in keys if key in atoms.info), None)


def whole_number(path: Path, name: str, frames: list[Frame], keys: tuple[str, ...]) -> int | None:
    """Charge or multiplicity, one under all of its names and for all frames; None if none states it."""
    values = set()
    for frame in frames:
        values |= {str(frame.atoms.info[key]).strip() for key in keys if key in frame.atoms.info} or {NOTHING}
    if values == {NOTHING}:
        return None
    if all(re.fullmatch(r"[+-]?\d{1,6}(\.0*)?", value) for value in values):
        numbers = {int(float(value)) for value in values}
        if len(numbers) == 1:
            return numbers.pop()
    raise DataError(
        path,
        f"{keys[0]} must be one whole number for all frames, found {', '.join(sorted(values))} "
        f"({frames[0].place} and following).",
        name,
    )


def refuse_lost_state(path: Path, name: str, frames: list[Frame], stored: StoredReaction) -> None:
    """Refuse frames whose atoms have charges or moments of a state that is not stated, and so would be lost.

    Raises
    ------
    DataError
        They sum up to another state than is assumed.
    """
    charge, multiplicity = stored.state
    for frame in frames:
        charges = float(frame.atoms.get_initial_charges().sum())
        moments = abs(float(frame.atoms.get_initial_magnetic_moments().sum()))
        for stated, key, found, assumed, state in (
            (stored.charge, "charge", charges, charge, round(charges)),
            (stored.multiplicity, "multiplicity", moments + 1, multiplicity, round(moments) + 1),
        ):
            if stated is None and (key == "charge" or moments) and abs(found - assumed) > HALF:
                raise DataError(
                    path,
                    f"the atoms of {frame.place} ask for {key} {found:.2f}, but none is stated, which means "
                    f"{assumed}; add {key}={state} to the frames, or {key}={assumed}.",
                    name,
                )
