"""Which columns and values of extended XYZ are the labels, where a file holds more than one set of them.

Programs write labels of a reference beside those of a model, under names such as REF_energy and energy. What
belongs together has one name before or after the quantity. Only two such sets are read unasked: energy,
forces, hessian; and REF_energy, REF_forces, REF_hessian, which go first. Anything else has to be picked.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from hessbench.errors import DataError
from hessbench.formats.readers.source import Choice

QUANTITIES = {
    "energy": re.compile("energy"),
    "forces": re.compile("forces"),
    "hessian": re.compile("hess(ian)?"),
}
"""What the name of a label has in it, whatever its case."""
GRADIENT = re.compile("grad", re.IGNORECASE)
"""What the name of minus the forces has in it."""
SIMILAR = re.compile("energ|force|gradient|hess", re.IGNORECASE)
"""What the name of something has in it that may be a label."""
PLAIN, REFERENCE = "", "ref_"
"""What stands before the quantity in the two sets that are read unasked."""
HESSIAN_FORMS = "matrix of numbers in quotes, separated by spaces"
NONE = "none"
"""What is picked to leave out Hessians."""


@dataclass(frozen=True)
class Labels:
    """Names of the labels of a file.

    Attributes
    ----------
    energy, forces
        Names.
    hessian
        Name, or None if there are no Hessians.
    notes
        What was decided.
    """

    energy: str
    forces: str
    hessian: str | None
    notes: tuple[str, ...] = ()

    @property
    def sign(self) -> float:
        """What turns the numbers under the name of the forces into forces."""
        return -1.0 if GRADIENT.search(self.forces) else 1.0


def values_of(frame: Atoms) -> dict[str, Any]:
    """All values of a frame by name: of the calculator into which ASE puts some, and its own."""
    return {**frame.arrays, **frame.info, **(frame.calc.results if frame.calc else {})}


def choose_labels(path: Path, frames: Iterable[Atoms], choice: Choice) -> Labels:
    """Find one consistent set of labels.

    Raises
    ------
    DataError
        There is none, or more than one could be meant; what is there is listed with the options that pick.
        Or what has the name of a label is no number in any frame.
    """
    found: dict[str, dict[str, str]] = {quantity: {} for quantity in QUANTITIES}
    similar: dict[str, None] = {}
    unreadable: dict[str, str] = {}
    for frame in frames:
        for key, value in values_of(frame).items():
            if not SIMILAR.search(key):
                continue
            numbers = _numbers(value)
            if numbers is None:
                if not re.search("units?$", key):
                    unreadable.setdefault(key, f"{value}"[:40])
                continue
            similar[key] = None
            for quantity, pattern in QUANTITIES.items():
                affix, times = pattern.subn("", key.lower())
                if times == 1 and _fits(quantity, affix, numbers, len(frame)):
                    found[quantity].setdefault(affix, key)
    energies, forces, hessians = (found[quantity] for quantity in QUANTITIES)
    there = f"labels in it: {', '.join(similar) or 'none'}"
    for key in similar:
        unreadable.pop(key, None)
    if unreadable:
        there += "".join(f", and {key}, which is no number but {text!r}" for key, text in unreadable.items())
    if any(GRADIENT.search(key) for key in similar):
        there += " (gradients are minus the forces: what is picked as forces under such a name is negated)"
    remedy = "pick one set by --energy-key, --forces-key and --hessian-key"
    if choice.energy_key or choice.forces_key or choice.hessian_key:
        labels = _picked(choice, found)
        if labels is None:
            raise DataError(path, f"more keys have to be picked; {there}; {remedy} (NAME, or {NONE}).")
    else:
        complete = [affix for affix in (REFERENCE, PLAIN) if affix in energies and affix in forces]
        if not complete:
            raise DataError(
                path,
                f"neither energy and forces nor REF_energy and REF_forces are in it; {there}; {remedy}.",
            )
        affix = complete[0]
        hessian: str | None = hessians.get(affix)
        lost = next((key for key in unreadable if key.lower() in (f"{affix}hessian", f"{affix}hess")), None)
        if hessian is None and lost is not None:
            raise DataError(
                path,
                f"{lost} is no {HESSIAN_FORMS} but {unreadable[lost]!r}...; write it so, or leave it out by "
                f"--energy-key {energies[affix]} --forces-key {forces[affix]} --hessian-key {NONE}.",
            )
        others = {*energies, *forces} - {affix}
        if hessian is None and len(hessians) == 1 and not others:
            hessian = next(iter(hessians.values()))
        elif hessian is None and hessians:
            raise DataError(
                path,
                f"no Hessian belongs to {energies[affix]} and {forces[affix]}, and labels of different "
                f"origin are not combined; {there}; {remedy} (or {NONE}).",
            )
        labels = Labels(energies[affix], forces[affix], hessian)
    for taken in (labels.energy, labels.forces, labels.hessian):
        similar.pop(taken or "", None)
    if not similar and labels.energy in ("energy", "REF_energy") and labels.sign > 0:
        return labels
    chosen = ", ".join(key for key in (labels.energy, labels.forces, labels.hessian) if key)
    chosen += f", the forces as minus {labels.forces}" if labels.sign < 0 else ""
    aside = f"; left aside: {', '.join(similar)}" if similar else ""
    return Labels(labels.energy, labels.forces, labels.hessian, (f"the labels are {chosen}{aside}",))


def _picked(choice: Choice, found: dict[str, dict[str, str]]) -> Labels | None:
    """Labels that were picked; what was not is of the same set, or None if it is not there."""
    given = {"energy": choice.energy_key, "forces": choice.forces_key, "hessian": choice.hessian_key}
    affixes = {
        affix
        for quantity, key in given.items()
        if key is not None and key != NONE
        for affix, name in found[quantity].items()
        if name == key
    }
    affix = affixes.pop() if len(affixes) == 1 else PLAIN
    names = {quantity: key or found[quantity].get(affix) for quantity, key in given.items()}
    energy, forces, hessian = (names[quantity] for quantity in QUANTITIES)
    if energy is None or forces is None or (hessian is None and found["hessian"]):
        return None
    return Labels(energy, forces, None if hessian == NONE else hessian)


def label_of(path: Path, place: str, frame: Atoms, key: str) -> np.ndarray:
    """Numbers of one label of a frame.

    Raises
    ------
    DataError
        The frame has none, or none of numbers.
    """
    values = values_of(frame)
    if key not in values:
        there = ", ".join(name for name in values if SIMILAR.search(name)) or "none"
        raise DataError(path, f"{place} has no {key}; labels in it: {there}.")
    numbers = _numbers(values[key])
    if numbers is None:
        shown = str(values[key])[:40]
        raise DataError(path, f"energy or forces are no numbers: {key} of {place} is {shown!r}.")
    return numbers


def _numbers(value: Any) -> np.ndarray | None:
    """Real numbers, also with Fortran's exponents; None if it is something else."""
    try:
        if isinstance(value, str):
            words = re.sub("[dD]", "E", value).split()
            return np.array(words[0] if len(words) == 1 else words, dtype=float) if words else None
        return np.asarray(value, dtype=float)
    except (ValueError, TypeError):
        return None


def _fits(quantity: str, affix: str, numbers: np.ndarray, atoms: int) -> bool:
    """Whether numbers are as many as a label of that name has; others have the word in their name only."""
    if quantity == "hessian":
        return numbers.size == (3 * atoms) ** 2 or (affix in (PLAIN, REFERENCE) and numbers.size > 1)
    return numbers.size == {"energy": 1, "forces": 3 * atoms}[quantity]
