"""Changes of energy between neighbouring structures beside the work of the forces.

Both are the same, E2 - E1 = -(F1 + F2)/2 . (x2 - x1) to second order, in units that go together.
"""

from collections.abc import Sequence

import numpy as np

from hessbench.formats.readers.source import StoredReaction

CORRELATION = 0.95
"""Smallest correlation at which a fitted ratio is evidence."""
FEWEST = 3
"""Pairs of neighbouring structures, at least, that say something."""
NEIGHBOURS = (1e-3, 0.25)
"""Range of the largest displacement of an atom between neighbouring structures, Angstrom."""
RELATED = 0.8
"""Correlation of changes of energy with the work of the forces below which they have nothing in common."""
MOST = 0.6
"""Part of the pairs by which they have: the others may have foreign energies, as a reaction's check says."""
WORK = 1.0
"""Smallest RMS of the work between neighbours that can say so, kcal/mol."""


def changes_and_works(reactions: Sequence[StoredReaction], length: float) -> tuple[np.ndarray, np.ndarray]:
    """Changes of energy between neighbouring structures, and the work of the forces, in units as stored.

    Parameters
    ----------
    reactions
        A sample, as stored.
    length
        Angstrom in the unit of the coordinates.

    Returns
    -------
    tuple of ndarray
        Changes in the unit of energy and works in that of force times Angstrom, (pairs,) each.
    """
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


def energy_per_work(changes: np.ndarray, works: np.ndarray) -> tuple[float, str] | None:
    """Size of the unit of force over that of energy, and the numbers in words; None if it cannot be told."""
    if len(changes) < FEWEST:
        return None
    slope, correlation = fit_through_origin(changes, works)
    if abs(correlation) < CORRELATION:
        return None
    return 1 / slope, f"work between {len(changes)} pairs of neighbours, correlation {correlation:.4f}"


def unrelated(changes: np.ndarray, works: np.ndarray) -> str | None:
    """Evidence that changes of energy have nothing to do with the work of the forces (kcal/mol), if so."""
    if len(changes) < FEWEST or np.sqrt(np.mean(np.square(works))) < WORK:
        return None
    correlation = abs(fit_through_origin(changes, works)[1])
    # One foreign energy spoils two pairs and the correlation of all, but is a fault of its structure alone.
    closest = np.argsort(np.abs(changes - works))[: max(FEWEST, int(MOST * len(changes)))]
    if max(correlation, abs(fit_through_origin(changes[closest], works[closest])[1])) >= RELATED:
        return None
    return (
        f"changes between {len(changes)} pairs of neighbours are not the work of the forces (correlation "
        f"{correlation:.2f}), as if their order had been shuffled"
    )


def fit_through_origin(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Slope of y = slope x through the origin, and the correlation about it; x and y are (n,)."""
    norms = float(np.linalg.norm(x) * np.linalg.norm(y))
    if norms == 0.0:
        return 1.0, 0.0
    return float(x @ y) / float(x @ x), float(x @ y) / norms
