"""Whether the structures and Hessians of a reaction can be what they are said to be.

Each check passes, fails or cannot tell: thresholds were measured on molecules of H, C, N, O and F, and where
they mean nothing (metals, noble gases, pairs of atoms, single bonds) a check does not say anything.
"""

from dataclasses import replace

import numpy as np

from hessbench.chemistry.bonds import BONDED, relative_distances
from hessbench.data.layout import Reaction
from hessbench.formats.energy_changes import check_energies, foreign_energies
from hessbench.formats.orientation import (
    NOT_WHOLE,
    SIGNAL,
    forces_against_hessians,
    orientation_by_hessian,
    orientation_by_torque,
)
from hessbench.formats.outcomes import Check, Outcome, verdict
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
STATIONARY = 3.0e-4 * HARTREE / BOHR
"""RMS force below which a structure is optimised, kcal/mol/Angstrom: Gaussian's threshold, 3e-4 Eh/bohr."""
SHUFFLED = (
    "species do not fit the structures, as if their order had been shuffled (heavy atoms overlap, or "
    "hydrogen atoms are bound like heavy ones)"
)


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
        return _species_by_geometry(numbers, coordinates), orientation_by_torque(coordinates, forces)
    oriented = orientation_by_hessian(coordinates, forces, hessians)
    if oriented.outcome is Outcome.FAILED and NOT_WHOLE in oriented.evidence:
        return Check("species", Outcome.CANNOT_TELL, "a Hessian that is not whole does not tell"), oriented
    tight = misplaced_by_hessian(numbers, coordinates, hessians)
    species = Check("species", Outcome.CANNOT_TELL, "no hydrogen beside a bound C, N or O")
    if tight is not None:
        shuffled = np.median(tight) > (TIGHT_HYDROGEN if len(tight) >= PATH else TIGHT_HYDROGEN_OF_FEW)
        species = verdict("species", not shuffled, SHUFFLED)
    return species, oriented


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


def _species_by_geometry(numbers: np.ndarray, coordinates: np.ndarray) -> Check:
    # Transition states alone may look like this, but no path consists of them.
    if len(coordinates) < PATH or len(numbers) < MOLECULE or not np.isin(numbers, ORGANIC).all():
        reason = f"without Hessians it takes {PATH} structures of {MOLECULE} atoms of H, C, N, O, F"
        return Check("species", Outcome.CANNOT_TELL, reason)
    return verdict("species", not misplaced_by_geometry(numbers, coordinates).all(), SHUFFLED)


def _distances(numbers: np.ndarray, coordinates: np.ndarray) -> Check:
    nearest = covalent_distances(numbers, coordinates) if len(numbers) > 1 else np.empty(0)
    nearest = nearest[np.isfinite(nearest)]
    if not nearest.size:
        return Check("distances", Outcome.CANNOT_TELL, "no two atoms of elements with covalent bonds")
    median = float(np.median(nearest))
    if median > NEAREST[1] and len(numbers) == 2:
        return Check("distances", Outcome.CANNOT_TELL, "two atoms may be apart")
    return verdict(
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
    return verdict(
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
    return verdict(
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
    return verdict(
        "curvature",
        not wrong.any(),
        f"a Hessian has the eigenvalue {lowest[worst]:,.0f} kcal/mol/Angstrom^2 ({lowest[worst] / EV:,.1f} "
        f"eV/Angstrom^2); down to {LOWEST:,.0f} is possible",
    )
