"""Whether the energies of a reaction's structures differ by what their forces and Hessians say.

Between two structures that are close, E2 - E1 = -(F1 + F2) . d / 2 + d . (H1 - H2) d / 12 to third order in
the displacement d. What is missing there is less than the difference of the two expansions about one of them
alone, so that no threshold is needed for how close they have to be.
"""

from collections import Counter

import numpy as np

from hessbench.formats.outcomes import Check, Outcome

CLOSE, CLOSE_BY_HESSIANS = 0.25, 0.6
"""Largest displacement of an atom over which energies are compared, Angstrom, without and with Hessians."""
PART = 0.3
"""Part of the work by which the change of energy may differ from it, besides what the order leaves open."""
WITNESSES = 8
"""Structures around one, at most, by which it is decided whose energy is of something else."""
LEAST, LEAST_PER_ANGSTROM = 1.0, 20.0
"""What it may always differ by, kcal/mol, and that for each Angstrom of the largest displacement."""


def check_energies(
    coordinates: np.ndarray, energies: np.ndarray, forces: np.ndarray, hessians: np.ndarray | None
) -> Check:
    """Compare the energy of each structure with that of the one nearest to it.

    Parameters
    ----------
    coordinates, energies, forces, hessians
        Of a reaction: (n, N, 3), (n,), (n, N, 3) and (n, 3N, 3N) or None; kcal/mol and Angstrom.
    """
    pairs, points = set(), coordinates.reshape(len(energies), -1)
    for index in range(len(energies)):
        for other in _near(points, index, hessians, 1):
            pairs.add((min(index, other), max(index, other)))
    worst = (0.0, "")
    for first, second in sorted(pairs):
        change, work, beyond = _beyond(coordinates, energies, forces, hessians, first, second)
        if beyond > worst[0]:
            evidence = (
                f"from structure {first} to structure {second} the energy changes by {change:,.4g} "
                f"kcal/mol, but by {work:,.4g} by the forces, so one of the energies is of something else"
            )
            worst = beyond, evidence
    if worst[1]:
        return Check("energies", Outcome.FAILED, worst[1])
    if not pairs:
        return Check("energies", Outcome.CANNOT_TELL, "no two structures are close to each other")
    return Check("energies", Outcome.PASSED)


def foreign_energies(
    coordinates: np.ndarray, energies: np.ndarray, forces: np.ndarray, hessians: np.ndarray | None
) -> dict[int, str]:
    """Structures whose energy is of something else, and why.

    Where two contradict each other, the one that agrees with more of the others around it is right; if
    nothing tells which, both are named.

    Parameters
    ----------
    coordinates, energies, forces, hessians
        As in `check_energies`, of a reaction that fails it or does not.

    Returns
    -------
    dict
        Index of such a structure to the reason.
    """
    points = coordinates.reshape(len(energies), -1)
    differences: dict[tuple[int, int], tuple[float, float, float]] = {}
    for index in range(len(energies)):
        for other in _near(points, index, hessians, WITNESSES):
            pair = (min(index, other), max(index, other))
            if pair not in differences:
                differences[pair] = _beyond(coordinates, energies, forces, hessians, *pair)
    agreeing = Counter(index for pair, (_, _, beyond) in differences.items() if beyond <= 0 for index in pair)
    found: dict[int, str] = {}
    for (first, second), (change, work, beyond) in differences.items():
        if beyond <= 0:
            continue
        votes = [agreeing[index] for index in (first, second)]
        blamed = [first, second] if votes[0] == votes[1] else [(first, second)[int(np.argmin(votes))]]
        doubt = "" if len(blamed) == 1 else ", and nothing tells which of the two is of something else"
        for index in blamed:
            other, sign = (second, 1) if index == first else (first, -1)
            found.setdefault(
                index,
                f"the energy of structure {other} differs from its energy by {sign * change:,.4g} kcal/mol, "
                f"but by {sign * work:,.4g} by the forces{doubt or ', so it is of something else'}",
            )
    return found


def _near(points: np.ndarray, index: int, hessians: np.ndarray | None, most: int) -> list[int]:
    """Structures nearest to one, at most so many, of those that are close enough; `points` are (n, 3N)."""
    apart = np.abs(points - points[index]).max(axis=1)
    apart[index] = np.inf
    near = np.argpartition(apart, most - 1)[:most] if most < len(apart) else np.arange(len(apart))
    return [
        int(other) for other in near if apart[other] <= (CLOSE if hessians is None else CLOSE_BY_HESSIANS)
    ]


def _beyond(
    coordinates: np.ndarray,
    energies: np.ndarray,
    forces: np.ndarray,
    hessians: np.ndarray | None,
    first: int,
    second: int,
) -> tuple[float, float, float]:
    """Change of energy from one structure to another, the work of the forces, and their excess difference."""
    step = (coordinates[second] - coordinates[first]).ravel()
    by_first, by_second = -forces[first].ravel() @ step, -forces[second].ravel() @ step
    work = (by_first + by_second) / 2
    if hessians is not None:
        bent = [step @ hessians[index] @ step for index in (first, second)]
        by_first, by_second = by_first + bent[0] / 2, by_second - bent[1] / 2
        work += (bent[0] - bent[1]) / 12
    allowed = abs(by_first - by_second) + PART * abs(work)
    allowed += LEAST + LEAST_PER_ANGSTROM * np.abs(step).max()
    change = energies[second] - energies[first]
    return float(change), float(work), float(abs(change - work) - allowed)
