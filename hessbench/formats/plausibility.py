"""Whether the structures and Hessians of a reaction can be what they are said to be.

Each check passes, fails or cannot tell: thresholds were measured on molecules of H, C, N, O and F, and where
they mean nothing (metals, noble gases, pairs of atoms, single bonds) a check does not say anything.
"""

from dataclasses import replace

import numpy as np

from hessbench.chemistry.bonds import BONDED, relative_distances
from hessbench.data.layout import Reaction
from hessbench.formats.energy_changes import check_energies, foreign_energies
from hessbench.formats.outcomes import Check, Outcome
from hessbench.formats.stretches import SLIGHT, local_stretches
from hessbench.units import BOHR, EV, HARTREE

COVALENT = (1, 5, 6, 7, 8, 9, 14, 15, 16, 17, 32, 33, 34, 35, 53)
"""Atomic numbers of the elements whose bonds are as long as their covalent radii say."""
ORGANIC = (1, 6, 7, 8, 9)
"""Elements whose bonds tell them apart."""
OVERLAP = 0.75
"""Smallest distance of two heavy atoms, in sums of covalent radii (triple bonds: 0.78)."""
TWO_BONDS = 1.45
"""Distance of hydrogen, in Angstrom, within which only one other atom is expected.

Not in covalent radii: here the elements themselves are in doubt."""
BRIDGING = 0.15
"""Largest part of the hydrogen atoms that may have two bonds."""
TIGHT_HYDROGEN = 0.06
"""Largest part of the pairs in which hydrogen may be held more tightly than a heavy atom."""
TIGHT_HYDROGEN_OF_FEW = 0.15
"""The same in one or two structures, which may be transition states."""
TIGHTER = 1.02
"""Ratio of the traces from which on it is; those of a diatomic molecule are equal but for noise."""
MOLECULE = 4
"""Atoms, at least, of a molecule whose distances tell elements apart (those of water do not)."""
PATH = 3
"""Structures of one reaction, at least, that cannot all be transition states."""
STRETCH = (0.7, 1.4)
"""Range of the median stretch of the bonds to hydrogen of one reaction, over the usual ones.

The medians of the embedded reactions are 0.95 - 0.99; between Eh/bohr^2 and Eh/Angstrom^2 there is a factor
of 1.89.
"""
FEW = 3
"""Stretches below which only those of bonds of nearly the usual length count."""
LOWEST = -1500.0
"""Lowest eigenvalue of a Hessian, kcal/mol/Angstrom^2; those of the embedded structures reach -1,193."""
LOWEST_OF_SOFT, SOFT = -1000.0, -0.8
"""The same of one whose lowest eigenvalue is beyond this part of its largest one (embedded: -0.44)."""
NEAREST = (0.65, 1.6)
"""Range of the median distance of a reaction's atoms to their neighbours, in sums of covalent radii."""
SIGNAL = 3.0
"""Smallest RMS of w x F that can be told from nothing, kcal/mol/Angstrom; residual forces stay below 1."""
NOISE = 0.002
"""Smallest part of |H| |w x r| that can be, for Hessians by finite differences of someone else's."""
DISAGREEMENT = 0.3
"""Largest part of w x F by which Hessian and forces may differ (measured at GFN2-xTB: 0.01)."""
TORQUE = 0.05
"""Largest median of |sum of r x F| / (|r| |F|) over the structures of an isolated molecule. In the embedded
NMS data it is below 0.01; with the axes of the forces exchanged it is 0.075 to 0.2."""
STATIONARY = 3.0e-4 * HARTREE / BOHR
"""RMS force below which a structure is optimised, kcal/mol/Angstrom: Gaussian's threshold, 3e-4 Eh/bohr."""
FRAME = 0.02
"""Largest |H (w x r) + w x F| / (|H| |w x r|) at which Hessian, forces and coordinates share one frame."""

SHUFFLED = (
    "species do not fit the structures, as if their order had been shuffled (heavy atoms overlap, or "
    "hydrogen atoms are bound like heavy ones)"
)
PLACEHOLDER = "a placeholder for what was not computed"
TURNED = "Hessian, forces and coordinates do not share one orientation and order of atoms"
NOT_WHOLE = "a Hessian is zero"
TORN = "forces and coordinates do not share one orientation and order of atoms"


def stationary(reaction: Reaction) -> np.ndarray:
    """(n,) whether each structure is optimised, by its RMS force."""
    return np.asarray(np.sqrt(np.mean(np.square(reaction.forces), axis=(1, 2))) <= STATIONARY)


def distances(coordinates: np.ndarray) -> np.ndarray:
    """(n, N, N) distances, infinite on the diagonal, of coordinates (n, N, 3)."""
    result = np.linalg.norm(coordinates[:, :, None] - coordinates[:, None], axis=-1)
    result[:, np.arange(result.shape[1]), np.arange(result.shape[1])] = np.inf
    return np.asarray(result)


def covalent_distances(numbers: np.ndarray, coordinates: np.ndarray) -> np.ndarray:
    """(n, K) distance of each atom to its nearest neighbour, in sums of covalent radii.

    Only of elements of `COVALENT`; infinite where the neighbour is of another one.
    """
    relative = relative_distances(numbers, coordinates)
    covalent = np.isin(numbers, COVALENT)
    nearest = relative.min(axis=2)
    nearest[~covalent[relative.argmin(axis=2)]] = np.inf
    return np.asarray(nearest[:, covalent])


def misplaced_by_geometry(numbers: np.ndarray, coordinates: np.ndarray) -> np.ndarray:
    """Whether structures look as if elements had been shuffled: heavy atoms overlap, hydrogen has two bonds.

    Of 3,970 reactions of Grambow et al. (doi:10.1038/s41597-020-0460-4), with the elements shuffled, this
    holds for 98 % of the structures; unshuffled, for 13 % of the transition states and none of the minima.

    Parameters
    ----------
    numbers, coordinates
        (N,), (n, N, 3) in Angstrom.

    Returns
    -------
    ndarray
        (n,) bool.
    """
    heavy, hydrogen = numbers > 1, numbers == 1
    overlaps = (relative_distances(numbers, coordinates) < OVERLAP)[:, heavy][:, :, heavy].any(axis=(1, 2))
    if not hydrogen.any() or len(numbers) < 3:
        return np.asarray(overlaps)
    bridging = (distances(coordinates)[:, hydrogen] < TWO_BONDS).sum(axis=2) >= 2  # (n, H)
    return np.asarray(overlaps | (bridging.mean(axis=1) > BRIDGING))


def misplaced_by_hessian(
    numbers: np.ndarray, coordinates: np.ndarray, hessians: np.ndarray
) -> np.ndarray | None:
    """How often a hydrogen is held more tightly than a bound C, N or O, by the traces of diagonal blocks.

    Other elements may be held less tightly than hydrogen (Cl, metals, noble gases), as may be atoms without a
    bond; so they are not looked at.

    Parameters
    ----------
    numbers, coordinates, hessians
        (N,), (n, N, 3) in Angstrom, (n, 3N, 3N) in any unit.

    Returns
    -------
    ndarray
        (n,) fraction of the pairs of a hydrogen and a heavy atom; at most 0.03 in real molecules, 0.4 (0.1 at
        least) with shuffled elements. None if there are no such pairs.
    """
    atoms = len(numbers)
    traces = np.einsum("niaia->ni", hessians.reshape(-1, atoms, 3, atoms, 3))
    bound = np.median(relative_distances(numbers, coordinates).min(axis=2), axis=0) < BONDED
    hydrogen, heavy = numbers == 1, np.isin(numbers, (6, 7, 8)) & bound
    if not hydrogen.any() or not heavy.any():
        return None
    return np.asarray((traces[:, hydrogen, None] > TIGHTER * traces[:, None, heavy]).mean(axis=(1, 2)))


def rotation_sides(
    coordinates: np.ndarray, forces: np.ndarray, hessians: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Both sides of the rotational invariance of the energy, H (w x r) = -w x F, for w along x, y and z.

    Parameters
    ----------
    coordinates, forces, hessians
        (n, N, 3), (n, N, 3) and (n, 3N, 3N), in units that go together.

    Returns
    -------
    tuple of ndarray
        (n, 3, 3N) left and right sides, in the unit of force.
    """
    left = np.einsum("nij,nwj->nwi", hessians, _rotations(coordinates))
    right = -np.cross(np.eye(3)[None, :, None, :], forces[:, None]).reshape(left.shape)
    return left, right


def frame_error(coordinates: np.ndarray, forces: np.ndarray, hessians: np.ndarray) -> np.ndarray:
    """How far Hessian, forces and coordinates are from sharing one orientation and order of atoms.

    Parameters
    ----------
    coordinates, forces, hessians
        (n, N, 3), (n, N, 3) and (n, 3N, 3N), in any units.

    Returns
    -------
    ndarray
        (n,) |H (w x r) + s w x F| / (|H| |w x r|), with the s (the unit of forces) that makes it smallest.
    """
    left, right = rotation_sides(coordinates, forces, hessians)
    norms = np.maximum(np.sum(right**2, axis=(1, 2)), np.finfo(float).tiny)
    scale = np.sum(left * right, axis=(1, 2)) / norms
    return _rms(left - scale[:, None, None] * right) / rotation_size(coordinates, hessians)


def rotation_size(coordinates: np.ndarray, hessians: np.ndarray) -> np.ndarray:
    """(n,) |H| times the RMS of w x r: how large that of H (w x r) could be, in the unit of force."""
    largest = np.abs(np.linalg.eigvalsh(hessians)).max(axis=1)
    return np.asarray(largest * _rms(_rotations(coordinates)))


def forces_against_hessians(
    coordinates: np.ndarray, forces: np.ndarray, hessians: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compare the forces with those that the Hessians ask for; parameters are those of `rotation_sides`.

    Returns
    -------
    asked, stored : ndarray
        (n,) RMS of H (w x r) and of w x F, in the unit of force.
    wrong : ndarray
        (n,) bool, whether the two sides differ by more than noise can.
    """
    left, right = rotation_sides(coordinates, forces, hessians)
    asked, stored, difference = (_rms(side) for side in (left, right, left - right))
    noise = np.maximum(SIGNAL, NOISE * rotation_size(coordinates, hessians))
    wrong = difference > np.maximum(noise, DISAGREEMENT * np.maximum(asked, stored))
    return asked, stored, wrong


def net_torque(coordinates: np.ndarray, forces: np.ndarray) -> np.ndarray:
    """(n,) |sum of r x F| / (|r| |F|) of coordinates and forces (n, N, 3); zero for isolated molecules."""
    centred = coordinates - coordinates.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(centred, axis=(1, 2)) * np.linalg.norm(forces, axis=(1, 2))
    torque = np.linalg.norm(np.cross(centred, forces).sum(axis=1), axis=1)
    return np.asarray(torque / np.maximum(norms, np.finfo(float).tiny))


def check_arrangement(
    numbers: np.ndarray, coordinates: np.ndarray, forces: np.ndarray, hessians: np.ndarray | None
) -> tuple[Check, Check]:
    """Check that species, structures and labels of a reaction belong together, whatever their units.

    Parameters
    ----------
    numbers, coordinates, forces, hessians
        Of a reaction, coordinates in Angstrom.

    Returns
    -------
    tuple of Check
        On species and on orientation.
    """
    if hessians is None:
        return _species_by_geometry(numbers, coordinates), _orientation_by_torque(coordinates, forces)
    oriented = _orientation_by_hessian(coordinates, forces, hessians)
    if oriented.outcome is Outcome.FAILED and NOT_WHOLE in oriented.evidence:
        return Check("species", Outcome.CANNOT_TELL, "a Hessian that is not whole does not tell"), oriented
    tight = misplaced_by_hessian(numbers, coordinates, hessians)
    species = Check("species", Outcome.CANNOT_TELL, "no hydrogen beside a bound C, N or O")
    if tight is not None:
        shuffled = np.median(tight) > (TIGHT_HYDROGEN if len(tight) >= PATH else TIGHT_HYDROGEN_OF_FEW)
        species = _verdict("species", not shuffled, SHUFFLED)
    return species, oriented


def _orientation_by_hessian(coordinates: np.ndarray, forces: np.ndarray, hessians: np.ndarray) -> Check:
    structures, atoms = coordinates.shape[:2]
    if atoms < 2:
        return Check("orientation", Outcome.CANNOT_TELL, "an atom has none")
    if not hessians.any(axis=(1, 2)).all():
        return Check("orientation", Outcome.FAILED, f"{NOT_WHOLE} everywhere, {PLACEHOLDER}")
    error = float(np.median(frame_error(coordinates, forces, hessians)))
    idle = int((~hessians.reshape(structures, atoms, -1).any(axis=2)).sum(axis=1).max())
    evidence = f"{TURNED} (rotational invariance fails by {error:.2g} of |H|)"
    if idle:
        evidence = f"{NOT_WHOLE} for {idle} of {atoms} atoms, as where some were frozen; compute all of it"
    return _verdict("orientation", error <= FRAME, evidence)


def check_reaction(reaction: Reaction) -> tuple[Check, ...]:
    """Check one reaction.

    Returns
    -------
    tuple of Check
        On species, orientation, distances, agreement of forces and Hessians, energies, stretches and
        curvature.
    """
    numbers, coordinates = reaction.numbers, reaction.coordinates
    checks = check_arrangement(numbers, coordinates, reaction.forces, reaction.hessians)
    return (
        *checks,
        _distances(numbers, coordinates),
        _forces(reaction),
        check_energies(coordinates, reaction.energies, reaction.forces, reaction.hessians),
        _stretches(reaction),
        _curvature(reaction),
    )


def bad_structures(reaction: Reaction) -> dict[int, str]:
    """Structures that fail a check by themselves, or whose energy does not go with the others, and why."""
    found = {}
    for index in range(len(reaction)):
        part = slice(index, index + 1)
        single = replace(
            reaction,
            coordinates=reaction.coordinates[part],
            energies=reaction.energies[part],
            forces=reaction.forces[part],
            hessians=None if reaction.hessians is None else reaction.hessians[part],
            annotations={},
        )
        # Transition states may look like shuffled species, and all structures share theirs.
        wrong = problem(tuple(check for check in check_reaction(single) if check.name != "species"))
        if wrong is not None:
            found[index] = wrong
    arrays = (reaction.coordinates, reaction.energies, reaction.forces, reaction.hessians)
    if check_energies(*arrays).outcome is Outcome.FAILED:
        found = foreign_energies(*arrays) | found
    return found


def problem(checks: tuple[Check, ...]) -> str | None:
    """Say what cannot be right, by the first check that failed; None if none did."""
    return next((check.evidence for check in checks if check.outcome is Outcome.FAILED), None)


def _verdict(name: str, right: bool, evidence: str) -> Check:
    return Check(name, Outcome.PASSED) if right else Check(name, Outcome.FAILED, evidence)


def _species_by_geometry(numbers: np.ndarray, coordinates: np.ndarray) -> Check:
    # Transition states alone may look like this, but no path consists of them.
    if len(coordinates) < PATH or len(numbers) < MOLECULE or not np.isin(numbers, ORGANIC).all():
        reason = f"without Hessians it takes {PATH} structures of {MOLECULE} atoms of H, C, N, O, F"
        return Check("species", Outcome.CANNOT_TELL, reason)
    return _verdict("species", not misplaced_by_geometry(numbers, coordinates).all(), SHUFFLED)


def _orientation_by_torque(coordinates: np.ndarray, forces: np.ndarray) -> Check:
    # A pair of atoms may stand in the minimum of a formula; no computed molecule has none at all.
    if coordinates.shape[1] > 2 and not forces.any(axis=(1, 2)).all():
        return Check("orientation", Outcome.FAILED, f"the forces of a structure are all zero, {PLACEHOLDER}")
    if coordinates.shape[1] < 2 or np.median(_rms(forces)) <= SIGNAL:
        return Check("orientation", Outcome.CANNOT_TELL, "the forces are too small for a torque")
    torque = float(np.median(net_torque(coordinates, forces)))
    return _verdict("orientation", torque <= TORQUE, f"{TORN} (their torque is {torque:.2g} of |r| |F|)")


def _distances(numbers: np.ndarray, coordinates: np.ndarray) -> Check:
    nearest = covalent_distances(numbers, coordinates) if len(numbers) > 1 else np.empty(0)
    nearest = nearest[np.isfinite(nearest)]
    if not nearest.size:
        return Check("distances", Outcome.CANNOT_TELL, "no two atoms of elements with covalent bonds")
    median = float(np.median(nearest))
    if median > NEAREST[1] and len(numbers) == 2:
        return Check("distances", Outcome.CANNOT_TELL, "two atoms may be apart")
    return _verdict(
        "distances",
        NEAREST[0] <= median <= NEAREST[1],
        f"atoms are {median:.2g} times their covalent radii apart (median; {NEAREST[0]:g} - "
        f"{NEAREST[1]:g} is possible), so the unit of the coordinates is wrong",
    )


def _forces(reaction: Reaction) -> Check:
    if reaction.hessians is None or len(reaction.numbers) < 2:
        return Check("agreement", Outcome.CANNOT_TELL, "no Hessians to compare with")
    asked, stored, wrong = forces_against_hessians(reaction.coordinates, reaction.forces, reaction.hessians)
    strong = np.count_nonzero(np.maximum(asked, stored) > SIGNAL)
    if not strong:
        return Check("agreement", Outcome.CANNOT_TELL, "too small to be compared with the Hessians")
    worst = int(np.argmax(np.abs(asked - stored) * wrong))
    return _verdict(
        "agreement",
        bool(wrong.sum() <= strong / 2),
        f"forces and Hessians contradict each other in {wrong.sum()} of {len(reaction)} structures (w x "
        f"F of structure {worst} is {stored[worst]:.3g} kcal/mol/Angstrom by its forces, "
        f"{asked[worst]:.3g} by its Hessian), so the unit, the sign or the order of the forces is wrong",
    )


def _stretches(reaction: Reaction) -> Check:
    if reaction.hessians is None:
        return Check("stretches", Outcome.CANNOT_TELL, "no Hessians")
    stretches = local_stretches(reaction.numbers, reaction.coordinates, reaction.hessians)
    ratios = stretches.ratios()
    if ratios.size < FEW:
        ratios = stretches.ratios((-SLIGHT, SLIGHT))
    if not ratios.size:
        return Check("stretches", Outcome.CANNOT_TELL, "no bonds to hydrogen of a usual length")
    median = float(np.median(ratios))
    return _verdict(
        "stretches",
        STRETCH[0] <= median <= STRETCH[1],
        f"the bonds to hydrogen ({stretches.kinds()}) stretch at {median:.2g} times their usual "
        f"wavenumbers (median; {STRETCH[0]:g} - {STRETCH[1]:g} is possible), so the unit or the order of the "
        "Hessian is wrong",
    )


def _curvature(reaction: Reaction) -> Check:
    if reaction.hessians is None:
        return Check("curvature", Outcome.CANNOT_TELL, "no Hessians")
    eigenvalues = np.linalg.eigvalsh(reaction.hessians)
    lowest, largest = eigenvalues[:, 0], eigenvalues[:, -1]
    wrong = (lowest < LOWEST) | ((lowest < LOWEST_OF_SOFT) & (lowest < SOFT * largest))
    worst = int(np.argmin(lowest))
    return _verdict(
        "curvature",
        not wrong.any(),
        f"a Hessian has the eigenvalue {lowest[worst]:,.0f} kcal/mol/Angstrom^2 ({lowest[worst] / EV:,.1f} "
        f"eV/Angstrom^2); down to {LOWEST:,.0f} is possible",
    )


def _rms(arrays: np.ndarray) -> np.ndarray:
    """(n,) root mean square of all elements of each of n arrays (n, a, b)."""
    return np.asarray(np.sqrt(np.mean(np.square(arrays), axis=(1, 2))))


def _rotations(coordinates: np.ndarray) -> np.ndarray:
    """(n, 3, 3N) rigid rotations w x r for w along x, y and z."""
    centred = coordinates - coordinates.mean(axis=1, keepdims=True)
    return np.cross(np.eye(3)[None, :, None, :], centred[:, None]).reshape(len(coordinates), 3, -1)
