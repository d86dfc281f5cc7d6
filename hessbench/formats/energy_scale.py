"""The unit of energies by the scale of total or atomization energies."""

from collections.abc import Sequence

import numpy as np

from hessbench.formats.orientation import PLACEHOLDER
from hessbench.formats.outcomes import Outcome
from hessbench.formats.readers.source import StoredReaction
from hessbench.formats.unit_names import known_units
from hessbench.units import HARTREE

ATOM_ENERGIES = {
    "all electrons": (
        (0.97, 1.06),
        {1: -0.50, 5: -24.65, 6: -37.84, 7: -54.58, 8: -75.06, 9: -99.73, 14: -289.4, 15: -341.3, 16: -398.1,
         17: -460.1, 35: -2574.0},
    ),
    "valence electrons of GFN-xTB": (
        (1.00, 1.30),
        {1: -0.393, 5: -0.952, 6: -1.795, 7: -2.608, 8: -3.769, 9: -4.62, 14: -1.57, 15: -2.377, 16: -3.148,
         17: -4.482, 35: -4.048},
    ),
}  # fmt: skip
"""Energies of free atoms in Eh, rounded, to recognise a scale by; with the range of E / (their sum)."""
ATOMIZATION = (-0.30, -0.10)
"""Range of the atomization energy per atom of organic molecules, Eh."""


def by_free_atoms(
    reactions: Sequence[StoredReaction], declared: str | None
) -> tuple[str | None, Outcome, str]:
    """Unit of energy by the scale of total or atomization energies, the outcome, and the numbers in words.

    Total energies contradict a label, since nothing else is as large. Energies may be relative to anything,
    so fitting nothing does not; nor does the size of an atomization energy, which is that of others, too.
    Energies of the reactions are in the unit that is sought; `declared` is that of the label, if any.
    """
    energies = np.concatenate([item.energies for item in reactions])
    if not energies.any():
        return None, Outcome.FAILED, f"all of them are zero, {PLACEHOLDER}"
    atoms = np.concatenate([np.full(len(item.energies), len(item.numbers)) for item in reactions])
    evidence, total = [], None
    for name, (window, table) in ATOM_ENERGIES.items():
        if not all(int(number) in table for item in reactions for number in item.numbers):
            continue
        free = np.concatenate(
            [np.full(len(item.energies), sum(table[int(z)] for z in item.numbers)) for item in reactions]
        )
        ratios = energies / free
        for unit in _fitting(ratios, window, declared):
            scaled = ratios * (known_units("energies")[unit] / HARTREE)
            words = f"{scaled.min():.3f} - {scaled.max():.3f} of the free atoms' energy ({name})"
            if unit == declared:
                return unit, Outcome.PASSED, words
            total = total or (unit, words)
        evidence.append(f"E / free atoms ({name}) is {ratios.min():.4g} - {ratios.max():.4g} in Eh")
    per_atom = energies / atoms
    atomization = _fitting(per_atom, ATOMIZATION, declared)
    if atomization and declared in (None, atomization[0]) and (total is None or declared is not None):
        scaled = per_atom * (known_units("energies")[atomization[0]] / HARTREE)
        words = f"{scaled.min():.3f} - {scaled.max():.3f} Eh per atom: atomization energies"
        return atomization[0], Outcome.PASSED, words
    if total is not None:
        return total[0], Outcome.PASSED if declared is None else Outcome.FAILED, total[1]
    numbers = "; ".join([*evidence, f"E per atom is {per_atom.min():.4g} - {per_atom.max():.4g}"])
    return None, Outcome.CANNOT_TELL, f"cannot be told without total energies: {numbers}"


def _fitting(values: np.ndarray, window: tuple[float, float], declared: str | None) -> list[str]:
    """Units of energy in which values (in Eh) are within a window, that declared first."""
    found = []
    for unit, size in known_units("energies").items():
        scaled = values * (size / HARTREE)
        if window[0] <= scaled.min() and scaled.max() <= window[1]:
            found.append(unit)
    return sorted(found, key=lambda unit: unit != declared)
