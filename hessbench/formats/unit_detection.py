"""Tell from the numbers themselves in which units a data set is, whatever its label says.

Each quantity is tested by physics that knows its size without any label:

- coordinates by the distance of covalently bound atoms to their nearest neighbours,
- Hessians by the stretching frequencies of bonds to hydrogen, each against that of its kind and length,
- forces by the rotational invariance of the energy, H (w x r) = -w x F, which holds at each single structure,
  or by the work they do between neighbouring structures, E2 - E1 = -(F1 + F2)/2 . (x2 - x1),
- energies by that work, or by the sum of the energies of the free atoms.

Each of these passes, fails or cannot tell. It fails only where the numbers fit another unit, or fit none
although there are many of them; what has no such scale (forces that vanish, energies relative to anything,
metals and noble gases, pairs of atoms) cannot be told, and then the label is believed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hessbench.formats.orientation import NOISE, PLACEHOLDER, SIGNAL, rotation_sides, rotation_size
from hessbench.formats.outcomes import Outcome
from hessbench.formats.plausibility import FEW, NEAREST, covalent_distances
from hessbench.formats.precision import rounded_away
from hessbench.formats.readers.source import StoredReaction
from hessbench.formats.stretches import SLIGHT, joined, local_stretches
from hessbench.formats.unit_names import Units, known_units
from hessbench.units import HARTREE

STRETCH = (0.84, 1.2)
"""Range of the median stretch of bonds to hydrogen, over the usual ones, that makes out a unit."""
STRETCH_DECLARED = (0.78, 1.28)
"""The same that confirms a label, that is, at a level of theory of whatever quality."""
BOND = (0.75, 1.3)
"""Range of the median distance to the nearest neighbour, in sums of covalent radii."""
ALIKE = 0.1
"""Largest spread of the distances of diatomic molecules that is not taken for atoms on their way apart."""
SLOPE_TOLERANCE = 0.2
"""Deviation of a fitted ratio from a unit that still fits; the closest two units are 1.89 apart."""
CORRELATION = 0.95
"""Smallest correlation at which a fitted ratio is evidence."""
FEWEST, MANY = 3, 10
"""Pairs of neighbouring structures, at least, that say something; and that can say that no unit fits."""
NEIGHBOURS = (1e-3, 0.25)
"""Range of the largest displacement of an atom between neighbouring structures, Angstrom."""
RELATED = 0.8
"""Correlation of changes of energy with the work of the forces below which they have nothing in common."""
MOST = 0.6
"""Part of the pairs by which they have: the others may have foreign energies, as a reaction's check says."""
WORK = 1.0
"""Smallest RMS of the work between neighbours that can say so, kcal/mol."""

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


@dataclass(frozen=True)
class Finding:
    """What the numbers say about the unit of one quantity.

    Attributes
    ----------
    quantity
        "coordinates", "energies", "forces" or "hessians".
    declared
        Unit according to the file, or its format; None if neither says.
    found
        Unit that fits; None if none does, or if the data cannot tell.
    outcome
        Failed if the numbers fit no known unit, or another one than declared.
    evidence
        The numbers, for people.
    """

    quantity: str
    declared: str | None
    found: str | None
    outcome: Outcome
    evidence: str

    @property
    def failed(self) -> bool:
        """Whether the numbers contradict the label, or any label."""
        return self.outcome is Outcome.FAILED


def detect_units(reactions: Sequence[StoredReaction], declared: Units) -> tuple[Finding, ...]:
    """Find the units of a sample of reactions.

    Parameters
    ----------
    reactions
        A sample, as stored.
    declared
        Units according to the file or its format.

    Returns
    -------
    tuple of Finding
        On coordinates, energies, forces and, if there are any, Hessians.
    """
    coordinates = find_coordinates(reactions, declared.coordinates)
    length = known_units("coordinates")[coordinates.found or declared.coordinates or "Angstrom"]
    hessians = _find_hessians(reactions, length, declared.hessians)
    force_size, force_evidence, forces_related = _by_rotation(reactions, length, _size(hessians))
    scale, scale_outcome, scale_evidence = _by_free_atoms(reactions, declared.energies)
    changes, works = _changes_and_works(reactions, length)
    work = _energy_per_work(changes, works)  # size of force unit / size of energy unit
    pairs = MANY
    by_energies = scale or declared.energies
    if force_size is None and work is not None and by_energies is not None:
        force_size, pairs = work[0] * known_units("energies")[by_energies], len(changes)
        force_evidence = work[1] if scale else f"{work[1]}, energies taken for {by_energies}"
        energies = Finding("energies", declared.energies, scale, scale_outcome, scale_evidence)
    elif force_size is not None and work is not None:
        energies = _finding_of_size(
            "energies", declared.energies, force_size / work[0], work[1], len(changes)
        )
    else:
        energies = Finding("energies", declared.energies, scale, scale_outcome, scale_evidence)
    forces = _finding_of_size("forces", declared.forces, force_size, force_evidence, pairs)
    if force_size is None and declared.forces is None and energies.found is not None:
        unit = f"{energies.found}/Angstrom"
        evidence = f"{force_evidence}; taken for {unit}, as the energies"
        forces = Finding("forces", None, unit, Outcome.CANNOT_TELL, evidence)
    if not forces_related:
        forces = Finding("forces", declared.forces, None, Outcome.FAILED, force_evidence)
    elif force_size is not None and (
        unrelated := _unrelated(changes * (_size(energies) or 1.0), works * force_size)
    ):
        energies = Finding("energies", declared.energies, None, Outcome.FAILED, unrelated)
    energies = _enough_digits(reactions, energies)
    found = (coordinates, energies, forces)
    return found if hessians is None else (*found, hessians)


def _enough_digits(reactions: Sequence[StoredReaction], energies: Finding) -> Finding:
    """Replace the finding on energies by a failure if those of a reaction, or all, are of half precision."""
    parts = [item.energies for item in reactions]
    for stored in (*parts, _joined(parts)):
        if rounded := rounded_away(stored, _size(energies) or 1.0):
            return Finding("energies", energies.declared, None, Outcome.FAILED, rounded)
    return energies


def settled_units(findings: Sequence[Finding]) -> Units:
    """Units to convert by: those found, or where the data cannot tell, those declared."""
    return Units(**{finding.quantity: finding.found or finding.declared for finding in findings})


def _size(finding: Finding | None) -> float | None:
    """Size of the unit of a finding, or None if there is no saying."""
    if finding is None or (name := finding.found or (None if finding.failed else finding.declared)) is None:
        return None
    return known_units(finding.quantity)[name]


def _judge(
    declared: str | None,
    candidates: Mapping[str, float],
    window: tuple[float, float],
    confirming: tuple[float, float],
    enough: bool,
) -> tuple[str | None, Outcome]:
    """Unit whose candidate is in a window, and what that says of the one declared."""
    if declared is not None and confirming[0] <= candidates[declared] <= confirming[1]:
        return declared, Outcome.PASSED
    fits = [name for name, value in candidates.items() if window[0] <= value <= window[1]]
    found = fits[0] if fits else None
    if declared is None and found is not None:
        return found, Outcome.PASSED
    return (found, Outcome.FAILED) if enough else (None, Outcome.CANNOT_TELL)


def find_coordinates(reactions: Sequence[StoredReaction], declared: str | None) -> Finding:
    """Find the unit of the coordinates alone, see `detect_units`."""
    molecules = [item for item in reactions if len(item.numbers) > 1]
    nearest = [covalent_distances(item.numbers, item.coordinates) for item in molecules]
    values = _joined(nearest)
    values = values[np.isfinite(values)]
    if not values.size:
        evidence = "cannot be told without two atoms of elements with covalent bonds"
        return Finding("coordinates", declared, None, Outcome.CANNOT_TELL, evidence)
    polyatomic = any(len(item.numbers) > 2 for item in molecules)
    alike = len(values) >= 2 * FEW and np.ptp(values) <= ALIKE * np.median(values)
    sizes = known_units("coordinates")
    possible = values * sizes[declared or "Angstrom"]
    impossible = np.mean((NEAREST[0] <= possible) & (possible <= NEAREST[1])) < ALIKE
    median = float(np.median(values))
    candidates = {name: median * size for name, size in sizes.items()}
    found, outcome = _judge(declared, candidates, BOND, BOND, bool((polyatomic or alike) and impossible))
    evidence = f"median nearest neighbour, in sums of covalent radii, {median:.3f} ({_span(BOND)} expected)"
    return Finding("coordinates", declared, found, outcome, evidence)


def _find_hessians(
    reactions: Sequence[StoredReaction], length: float, declared: str | None
) -> Finding | None:
    parts = [
        local_stretches(item.numbers, item.coordinates * length, item.hessians)
        for item in reactions
        if item.hessians is not None
    ]
    if not parts:
        return None
    stretches = joined(parts)
    ratios = stretches.ratios()
    enough = ratios.size >= FEW
    if not enough and (slight := stretches.ratios((-SLIGHT, SLIGHT))).size:
        ratios, enough = slight, True
    if not ratios.size:
        evidence = "cannot be told without bonds to hydrogen of a usual length"
        return Finding("hessians", declared, None, Outcome.CANNOT_TELL, evidence)
    median = float(np.median(ratios))
    sizes = known_units("hessians")
    found, outcome = _judge(
        declared,
        {name: median * np.sqrt(size) for name, size in sizes.items()},
        STRETCH,
        STRETCH_DECLARED,
        enough,
    )
    shown = [name for name in dict.fromkeys([declared, found]) if name] or ["Eh/Angstrom^2", "Eh/bohr^2"]
    wavenumber = float(np.median(stretches.wavenumbers))
    frequencies = " and ".join(
        f"{wavenumber * np.sqrt(sizes[name]):,.0f} cm-1 in {name}, {median * np.sqrt(sizes[name]):.2f} of "
        "the usual"
        for name in shown
    )
    kinds, expected = stretches.kinds(), _span(STRETCH_DECLARED)
    evidence = f"median of {ratios.size} stretches ({kinds}) is {frequencies} ({expected} expected)"
    return Finding("hessians", declared, found, outcome, evidence)


def _by_rotation(
    reactions: Sequence[StoredReaction], length: float, hessian_size: float | None
) -> tuple[float | None, str, bool]:
    """Size of the unit of force from H (w x r) = -w x F, if there are Hessians, and forces to speak of.

    Returns
    -------
    size of the unit or None, the numbers in words, and False if forces are to be expected but those stored
    have nothing to do with them.
    """
    if hessian_size is None:
        return None, "cannot be told without Hessians or neighbouring structures", True
    left, right, sizes = [], [], []
    for item in reactions:
        if item.hessians is None:
            continue
        sides = rotation_sides(item.coordinates * length, item.forces, item.hessians * hessian_size)
        left.append(sides[0].ravel())
        right.append(sides[1].ravel())
        sizes.append(rotation_size(item.coordinates * length, item.hessians * hessian_size))
    expected, stored = np.concatenate(left), np.concatenate(right)
    strength = float(np.sqrt(np.mean(np.square(expected))))
    slope, correlation = _fit(stored, expected)
    if abs(correlation) >= CORRELATION and strength >= SIGNAL:
        return slope, f"rotational invariance of the Hessians, correlation {correlation:.4f}", True
    if strength < max(SIGNAL, NOISE * float(np.mean(np.concatenate(sizes)))):
        evidence = "cannot be told at stationary points: w x F is {:.2g} kcal/mol/Angstrom by the Hessians"
        return None, evidence.format(strength), True
    return (
        None,
        (
            f"the Hessians ask for w x F of {strength:.2g} kcal/mol/Angstrom, with which that of the forces "
            f"correlates by {correlation:.2f} only, as if units, signs or orders were mixed"
        ),
        False,
    )


def _changes_and_works(reactions: Sequence[StoredReaction], length: float) -> tuple[np.ndarray, np.ndarray]:
    """Changes of energy between neighbouring structures, and the work of the forces, as stored."""
    changes, works = [], []
    for item in reactions:
        coordinates = item.coordinates * length
        for first in range(len(coordinates) - 1):
            step = coordinates[first + 1] - coordinates[first]
            if not NEIGHBOURS[0] <= np.abs(step).max() <= NEIGHBOURS[1]:
                continue
            changes.append(item.energies[first + 1] - item.energies[first])
            works.append(-np.sum((item.forces[first] + item.forces[first + 1]) / 2 * step))
    return np.array(changes), np.array(works)


def _energy_per_work(changes: np.ndarray, works: np.ndarray) -> tuple[float, str] | None:
    """Size of the unit of force over that of energy."""
    if len(changes) < FEWEST:
        return None
    slope, correlation = _fit(changes, works)
    if abs(correlation) < CORRELATION:
        return None
    return 1 / slope, f"work between {len(changes)} pairs of neighbours, correlation {correlation:.4f}"


def _unrelated(changes: np.ndarray, works: np.ndarray) -> str | None:
    """Evidence that changes of energy have nothing to do with the work of the forces (kcal/mol), if so."""
    if len(changes) < FEWEST or np.sqrt(np.mean(np.square(works))) < WORK:
        return None
    correlation = abs(_fit(changes, works)[1])
    # One foreign energy spoils two pairs and the correlation of all, but is a fault of its structure alone.
    closest = np.argsort(np.abs(changes - works))[: max(FEWEST, int(MOST * len(changes)))]
    if max(correlation, abs(_fit(changes[closest], works[closest])[1])) >= RELATED:
        return None
    return (
        f"changes between {len(changes)} pairs of neighbours are not the work of the forces (correlation "
        f"{correlation:.2f}), as if their order had been shuffled"
    )


def _by_free_atoms(
    reactions: Sequence[StoredReaction], declared: str | None
) -> tuple[str | None, Outcome, str]:
    """Unit of energy by the scale of total or atomization energies, the outcome, and the numbers in words.

    Total energies contradict a label, since nothing else is as large. Energies may be relative to anything,
    so fitting nothing does not; nor does the size of an atomization energy, which is that of others, too.
    """
    energies = _joined([item.energies for item in reactions])
    if not energies.any():
        return None, Outcome.FAILED, f"all of them are zero, {PLACEHOLDER}"
    atoms = _joined([np.full(len(item.energies), len(item.numbers)) for item in reactions])
    evidence, total = [], None
    for name, (window, table) in ATOM_ENERGIES.items():
        if not all(int(number) in table for item in reactions for number in item.numbers):
            continue
        free = _joined(
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


def _finding_of_size(
    quantity: str, declared: str | None, size: float | None, evidence: str, pairs: int
) -> Finding:
    if size is None:
        return Finding(quantity, declared, None, Outcome.CANNOT_TELL, evidence)
    ratios = {name: size / known for name, known in known_units(quantity).items()}
    fits = [name for name, ratio in ratios.items() if abs(ratio - 1) <= SLOPE_TOLERANCE]
    found = fits[0] if fits else None
    outcome = Outcome.FAILED if declared not in (None, found) or found is None else Outcome.PASSED
    if size < 0:
        evidence += "; the sign is wrong: these are gradients, forces are minus the gradient, so negate them"
    elif found is None:
        evidence += f"; the unit measures {size:.4g} in kcal/mol and Angstrom"
        outcome = outcome if pairs >= MANY else Outcome.CANNOT_TELL
    elif found == declared:
        evidence += f", ratio {ratios[found]:.3f}"
    return Finding(quantity, declared, found, outcome, evidence)


def _fit(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Slope of y = slope x through the origin, and the correlation about the origin."""
    norms = float(np.linalg.norm(x) * np.linalg.norm(y))
    if norms == 0.0:
        return 1.0, 0.0
    return float(x @ y) / float(x @ x), float(x @ y) / norms


def _span(window: tuple[float, float]) -> str:
    return f"{window[0]:,g} - {window[1]:,g}"


def _joined(arrays: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate([array.ravel() for array in arrays]) if arrays else np.empty(0)
