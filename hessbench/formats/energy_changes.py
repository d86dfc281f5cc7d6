"""Whether the energies of a reaction's structures differ by what their forces and Hessians say.

Between two structures that are close, E2 - E1 = -(F1 + F2) . d / 2 + d . (H1 - H2) d / 12 to third order in
the displacement d. What is missing there is less than the difference of the two expansions about one of them
alone, so that no threshold is needed for how close they have to be.
"""

import numpy as np

from hessbench.formats.outcomes import Check, Outcome

CLOSE, CLOSE_BY_HESSIANS = 0.25, 0.6
"""Largest displacement of an atom over which energies are compared, Angstrom, without and with Hessians."""
PART = 0.3
"""Part of the work by which the change of energy may differ from it, besides what the order leaves open."""
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
    structures = len(energies)
    points = coordinates.reshape(structures, -1)
    pairs = set()
    for index in range(structures):
        apart = np.abs(points - points[index]).max(axis=1)
        apart[index] = np.inf
        other = int(np.argmin(apart))
        if apart[other] <= (CLOSE if hessians is None else CLOSE_BY_HESSIANS):
            pairs.add((min(index, other), max(index, other)))
    worst = (0.0, "")
    for first, second in sorted(pairs):
        step = points[second] - points[first]
        by_first, by_second = -forces[first].ravel() @ step, -forces[second].ravel() @ step
        work = (by_first + by_second) / 2
        if hessians is not None:
            bent = [step @ hessians[index] @ step for index in (first, second)]
            by_first, by_second = by_first + bent[0] / 2, by_second - bent[1] / 2
            work += (bent[0] - bent[1]) / 12
        allowed = abs(by_first - by_second) + PART * abs(work)
        allowed += LEAST + LEAST_PER_ANGSTROM * np.abs(step).max()
        change = energies[second] - energies[first]
        beyond = float(abs(change - work) - allowed)
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
