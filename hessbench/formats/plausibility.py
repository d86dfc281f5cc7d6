"""Whether the structures and Hessians of a reaction can be what they are said to be."""

import numpy as np

from hessbench.chemistry.bonds import relative_distances
from hessbench.chemistry.normal_modes import WAVENUMBER, atomic_masses
from hessbench.data.layout import Reaction
from hessbench.units import BOHR, HARTREE

LONGEST_BOND_TO_HYDROGEN = 1.25
"""Farthest nearest neighbour of a hydrogen whose stretching frequency counts, Angstrom.

Tighter than a bond (`hessbench.chemistry.bonds`): one that is being broken says nothing about a unit."""
OVERLAP = 0.75
"""Smallest distance of two heavy atoms, in sums of covalent radii (triple bonds: 0.78)."""
TWO_BONDS = 1.45
"""Distance of hydrogen, in Angstrom, within which only one other atom is expected.

Not in covalent radii: here the elements themselves are in doubt."""
BRIDGING = 0.15
"""Largest part of the hydrogen atoms that may have two bonds."""
TIGHT_HYDROGEN = 0.06
"""Largest part of the pairs in which hydrogen may be held more tightly than a heavy atom."""
PATH = 3
"""Structures of one reaction, at least, that cannot all be transition states."""
STRETCH = (1960.0, 4900.0)
"""Range of the median stretching frequency of the bonds to hydrogen of one reaction, cm-1.

The medians of reactions are 2,600 - 3,700; between Eh/bohr^2 and Eh/Angstrom^2 there is a factor of 1.89.
"""
STRETCH_OF_FEW = (1500.0, 5200.0)
"""The same of fewer than `FEW` bonds, which may be those of a transition state alone, cm-1."""
FEW = 6
NEAREST = (0.65, 1.6)
"""Range of the median distance of a reaction's atoms to their neighbours, in sums of covalent radii."""
SIGNAL = 3.0
"""Smallest RMS of w x F that can be told from nothing, kcal/mol/Angstrom; residual forces stay below 1."""
NOISE = 0.002
"""Smallest part of |H| |w x r| that can be, for Hessians by finite differences of someone else's."""
DISAGREEMENT = 0.3
"""Largest part of w x F by which Hessian and forces may differ (measured at GFN2-xTB: 0.01)."""
TORQUE = 0.1
"""Largest |sum of r x F| / (|r| |F|) of an isolated molecule."""
STATIONARY = 3.0e-4 * HARTREE / BOHR
"""RMS force below which a structure is optimised, kcal/mol/Angstrom: Gaussian's threshold, 3e-4 Eh/bohr."""
FRAME = 0.02
"""Largest |H (w x r) + w x F| / (|H| |w x r|) at which Hessian, forces and coordinates share one frame."""

SHUFFLED = (
    "species do not fit the structures, as if their order had been shuffled (heavy atoms overlap, or "
    "hydrogen atoms are bound like heavy ones)"
)
TURNED = "Hessian, forces and coordinates do not share one orientation and order of atoms"
TORN = "forces and coordinates do not share one orientation and order of atoms"
_STRETCHES = {1: "H-H", 6: "C-H", 7: "N-H", 8: "O-H"}


def stationary(reaction: Reaction) -> np.ndarray:
    """(n,) whether each structure is optimised, by its RMS force."""
    return np.asarray(np.sqrt(np.mean(np.square(reaction.forces), axis=(1, 2))) <= STATIONARY)


def distances(coordinates: np.ndarray) -> np.ndarray:
    """(n, N, N) distances, infinite on the diagonal, of coordinates (n, N, 3)."""
    result = np.linalg.norm(coordinates[:, :, None] - coordinates[:, None], axis=-1)
    result[:, np.arange(result.shape[1]), np.arange(result.shape[1])] = np.inf
    return np.asarray(result)


def nearest_neighbours(coordinates: np.ndarray) -> np.ndarray:
    """(n, N) distance of each atom to its nearest neighbour."""
    return np.asarray(distances(coordinates).min(axis=2))


def bond_ratios(numbers: np.ndarray, coordinates: np.ndarray) -> np.ndarray:
    """(n, N) distance of each atom to its nearest neighbour, in sums of covalent radii."""
    return np.asarray(relative_distances(numbers, coordinates).min(axis=2))


def local_stretches(
    numbers: np.ndarray, coordinates: np.ndarray, hessians: np.ndarray
) -> dict[str, np.ndarray]:
    """Stretching frequencies of single bonds to hydrogen.

    The force constant is u . H_hh . u with the diagonal block of the hydrogen atom and the unit vector u
    along the bond to its nearest neighbour. Unlike normal modes it can be had off a minimum, atom by atom.

    Parameters
    ----------
    numbers, coordinates, hessians
        (N,), (n, N, 3) in Angstrom, (n, 3N, 3N) in kcal/mol/Angstrom^2.

    Returns
    -------
    dict
        "C-H", "N-H", "O-H", "H-H", "X-H": wavenumbers in cm-1, negative where the curvature is.
    """
    masses = atomic_masses(numbers)
    hydrogens = np.flatnonzero(numbers == 1)
    result: dict[str, list[float]] = {}
    for positions, hessian, separation in zip(coordinates, hessians, distances(coordinates), strict=True):
        for hydrogen in hydrogens:
            partner = int(np.argmin(separation[hydrogen]))
            if separation[hydrogen, partner] > LONGEST_BOND_TO_HYDROGEN:
                continue
            direction = (positions[hydrogen] - positions[partner]) / separation[hydrogen, partner]
            block = hessian[3 * hydrogen : 3 * hydrogen + 3, 3 * hydrogen : 3 * hydrogen + 3]
            constant = direction @ block @ direction * (1 / masses[hydrogen] + 1 / masses[partner])
            kind = _STRETCHES.get(int(numbers[partner]), "X-H")
            result.setdefault(kind, []).append(np.sign(constant) * np.sqrt(abs(constant)) * WAVENUMBER)
    return {kind: np.array(values) for kind, values in result.items()}


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


def misplaced_by_hessian(numbers: np.ndarray, hessians: np.ndarray) -> np.ndarray:
    """How often a hydrogen is held more tightly than a heavy atom, by the traces of their diagonal blocks.

    Parameters
    ----------
    numbers, hessians
        (N,), (n, 3N, 3N) in any unit.

    Returns
    -------
    ndarray
        (n,) fraction of the pairs of a hydrogen and a heavy atom; at most 0.03 in real molecules, 0.4 (0.1 at
        least) with shuffled elements.
    """
    atoms = len(numbers)
    traces = np.einsum("niaia->ni", hessians.reshape(-1, atoms, 3, atoms, 3))
    hydrogen = numbers == 1
    if not hydrogen.any() or hydrogen.all():
        return np.zeros(len(hessians))
    return np.asarray((traces[:, hydrogen, None] > traces[:, None, ~hydrogen]).mean(axis=(1, 2)))


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


def mismatch(
    numbers: np.ndarray, coordinates: np.ndarray, forces: np.ndarray, hessians: np.ndarray | None
) -> str | None:
    """Say in what species, structures and Hessians of a reaction do not belong together, whatever the units.

    Parameters
    ----------
    numbers, coordinates, forces, hessians
        Of a reaction, coordinates in Angstrom; without Hessians only three or more geometries can tell.
    """
    if hessians is None:
        # Transition states alone may look like this, but no path consists of them.
        enough = len(coordinates) >= PATH
        if enough and misplaced_by_geometry(numbers, coordinates).all():
            return SHUFFLED
        torque = float(np.median(net_torque(coordinates, forces)))
        strong = len(numbers) > 1 and np.median(_rms(forces)) > SIGNAL
        if strong and torque > TORQUE:
            return f"{TORN} (their torque is {torque:.2g} of |r| |F|)"
        return None
    if np.median(misplaced_by_hessian(numbers, hessians)) > TIGHT_HYDROGEN:
        return SHUFFLED
    if len(numbers) > 1:
        error = float(np.median(frame_error(coordinates, forces, hessians)))
        if error > FRAME:
            return f"{TURNED} (rotational invariance fails by {error:.2g} of |H|)"
    return None


def problem(reaction: Reaction) -> str | None:
    """Say what cannot be right in a reaction; None if nothing is wrong."""
    found = mismatch(reaction.numbers, reaction.coordinates, reaction.forces, reaction.hessians)
    if found is not None or len(reaction.numbers) < 2:
        return found
    nearest = float(np.median(bond_ratios(reaction.numbers, reaction.coordinates)))
    if not NEAREST[0] <= nearest <= NEAREST[1]:
        return (
            f"atoms are {nearest:.2g} times their covalent radii apart (median; {NEAREST[0]:g} - "
            f"{NEAREST[1]:g} is possible), so the unit of the coordinates is wrong"
        )
    if reaction.hessians is None:
        return None
    asked, stored, wrong = forces_against_hessians(reaction.coordinates, reaction.forces, reaction.hessians)
    if wrong.sum() > np.count_nonzero(np.maximum(asked, stored) > SIGNAL) / 2:
        worst = int(np.argmax(np.abs(asked - stored) * wrong))
        return (
            f"forces and Hessians contradict each other in {wrong.sum()} of {len(reaction)} structures (w x "
            f"F of structure {worst} is {stored[worst]:.3g} kcal/mol/Angstrom by its forces, "
            f"{asked[worst]:.3g} by its Hessian), so the unit, the sign or the order of the forces is wrong"
        )
    stretches = local_stretches(reaction.numbers, reaction.coordinates, reaction.hessians)
    if not stretches:
        return None
    values = np.concatenate(list(stretches.values()))
    low, high = STRETCH if values.size >= FEW else STRETCH_OF_FEW
    median = float(np.median(values))
    if low <= median <= high:
        return None
    return (
        f"the bonds to hydrogen stretch at {median:,.0f} cm-1 (median; {low:,.0f} - {high:,.0f} "
        "is possible), so the unit or the order of the Hessian is wrong"
    )


def _rms(arrays: np.ndarray) -> np.ndarray:
    """(n,) root mean square of all elements of each of n arrays (n, a, b)."""
    return np.asarray(np.sqrt(np.mean(np.square(arrays), axis=(1, 2))))


def _rotations(coordinates: np.ndarray) -> np.ndarray:
    """(n, 3, 3N) rigid rotations w x r for w along x, y and z."""
    centred = coordinates - coordinates.mean(axis=1, keepdims=True)
    return np.cross(np.eye(3)[None, :, None, :], centred[:, None]).reshape(len(coordinates), 3, -1)
