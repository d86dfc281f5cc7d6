"""Whether coordinates, forces and Hessians of a molecule share one orientation and order of atoms.

The energy of an isolated molecule does not change when the molecule is turned, so that its forces have no
torque, and a Hessian turns forces as a rotation does: H (w x r) = -w x F. Both hold in any units.
"""

import numpy as np

from hessbench.formats.outcomes import Check, Outcome, verdict

SIGNAL = 3.0
"""Smallest RMS of w x F that can be told from nothing, kcal/mol/Angstrom; residual forces stay below 1."""
NOISE = 0.002
"""Smallest part of |H| |w x r| that can be, for Hessians by finite differences of someone else's."""
DISAGREEMENT = 0.3
"""Largest part of w x F by which Hessian and forces may differ (measured at GFN2-xTB: 0.01)."""
TORQUE = 0.05
"""Largest median of |sum of r x F| / (|r| |F|) over the structures of an isolated molecule. In the embedded
NMS data it is below 0.01; with the axes of the forces exchanged it is 0.075 to 0.2."""
FRAME = 0.02
"""Largest |H (w x r) + w x F| / (|H| |w x r|) at which Hessian, forces and coordinates share one frame."""

PLACEHOLDER = "a placeholder for what was not computed"
TURNED = "Hessian, forces and coordinates do not share one orientation and order of atoms"
NOT_WHOLE = "a Hessian is zero"
TORN = "forces and coordinates do not share one orientation and order of atoms"


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


def orientation_by_hessian(coordinates: np.ndarray, forces: np.ndarray, hessians: np.ndarray) -> Check:
    """Check by rotational invariance; shapes as in `frame_error`, coordinates in Angstrom."""
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
    return verdict("orientation", error <= FRAME, evidence)


def orientation_by_torque(coordinates: np.ndarray, forces: np.ndarray) -> Check:
    """Check by the torque of forces (n, N, 3), in kcal/mol/Angstrom: what can be done without a Hessian."""
    # A pair of atoms may stand in the minimum of a formula; no computed molecule has none at all.
    if coordinates.shape[1] > 2 and not forces.any(axis=(1, 2)).all():
        return Check("orientation", Outcome.FAILED, f"the forces of a structure are all zero, {PLACEHOLDER}")
    if coordinates.shape[1] < 2 or np.median(_rms(forces)) <= SIGNAL:
        return Check("orientation", Outcome.CANNOT_TELL, "the forces are too small for a torque")
    torque = float(np.median(net_torque(coordinates, forces)))
    return verdict("orientation", torque <= TORQUE, f"{TORN} (their torque is {torque:.2g} of |r| |F|)")


def _rms(arrays: np.ndarray) -> np.ndarray:
    """(n,) root mean square of all elements of each of n arrays (n, a, b)."""
    return np.asarray(np.sqrt(np.mean(np.square(arrays), axis=(1, 2))))


def _rotations(coordinates: np.ndarray) -> np.ndarray:
    """(n, 3, 3N) rigid rotations w x r for w along x, y and z."""
    centred = coordinates - coordinates.mean(axis=1, keepdims=True)
    return np.cross(np.eye(3)[None, :, None, :], centred[:, None]).reshape(len(coordinates), 3, -1)
