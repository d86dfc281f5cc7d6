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

from hessbench.formats.energy_scale import by_free_atoms
from hessbench.formats.orientation import NOISE, SIGNAL, rotation_sides, rotation_size
from hessbench.formats.outcomes import Outcome
from hessbench.formats.plausibility import FEW, NEAREST, covalent_distances
from hessbench.formats.precision import rounded_away
from hessbench.formats.readers.source import StoredReaction
from hessbench.formats.stretches import SLIGHT, joined, local_stretches
from hessbench.formats.unit_names import Units, known_units
from hessbench.formats.work_of_forces import (
    CORRELATION,
    changes_and_works,
    energy_per_work,
    fit_through_origin,
    unrelated,
)

STRETCH = (0.84, 1.2)
"""Range of the median stretch of bonds to hydrogen, over the usual ones, that makes out a unit."""
STRETCH_DECLARED = (0.78, 1.28)
"""The same that confirms a label, that is, at a level of theory of whatever quality."""
BOND = (0.75, 1.3)
"""Range of the median distance to the nearest neighbour, in sums of covalent radii."""
ALIKE = 0.1
"""Largest spread of the distances of diatomic molecules that is not taken for atoms on their way apart."""
MANY = 10
"""Pairs of neighbouring structures that can say that no unit fits."""
SLOPE_TOLERANCE = 0.2
"""Deviation of a fitted ratio from a unit that still fits; the closest two units are 1.89 apart."""


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
    scale, scale_outcome, scale_evidence = by_free_atoms(reactions, declared.energies)
    changes, works = changes_and_works(reactions, length)
    work = energy_per_work(changes, works)  # size of force unit / size of energy unit
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
        foreign := unrelated(changes * (_size(energies) or 1.0), works * force_size)
    ):
        energies = Finding("energies", declared.energies, None, Outcome.FAILED, foreign)
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
    slope, correlation = fit_through_origin(stored, expected)
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


def _span(window: tuple[float, float]) -> str:
    return f"{window[0]:,g} - {window[1]:,g}"


def _joined(arrays: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate([array.ravel() for array in arrays]) if arrays else np.empty(0)
