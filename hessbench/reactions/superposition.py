"""How far two geometries of the same atoms are apart."""

import numpy as np
from scipy.spatial.transform import Rotation


def rmsd(first: np.ndarray, second: np.ndarray) -> float:
    """Root mean square distance of atoms after superposition (Kabsch 1976).

    Parameters
    ----------
    first, second
        Coordinates in Angstrom, (atoms, 3) each, in the same order of atoms.

    Returns
    -------
    Angstrom
    """
    first, second = first - first.mean(axis=0), second - second.mean(axis=0)
    return float(Rotation.align_vectors(first, second)[1] / np.sqrt(len(first)))
