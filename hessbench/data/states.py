"""Charge and spin multiplicity of molecules, and whether they go together with the electrons."""

import numpy as np

CHARGE = ("charge", "total_charge")
MULTIPLICITY = ("multiplicity", "spin_multiplicity", "mult", "spin")
"""Names of charge and multiplicity 2S + 1 in extended XYZ; in the models of the field `spin` is that, too."""
HALF = 0.5
"""Difference of a sum over atoms from the state of a molecule that is more than rounding."""


def lowest_multiplicity(numbers: np.ndarray, charge: int = 0) -> int:
    """1 for an even number of electrons, 2 for an odd one, of atoms (N,) with a total charge."""
    return 1 + (int(np.sum(numbers, dtype=np.int64)) - charge) % 2


def state_problem(numbers: np.ndarray, charge: int, multiplicity: int) -> str | None:
    """Say why a molecule cannot have a charge and a multiplicity; None if it can.

    Parameters
    ----------
    numbers
        (N,) atomic numbers.
    charge, multiplicity
        Total charge and 2S + 1.
    """
    electrons = int(np.sum(numbers, dtype=np.int64)) - charge
    if electrons < 0:
        return f"charge {charge:+d} is more than its {electrons + charge} electrons"
    if multiplicity < 1 or multiplicity - 1 > electrons or (electrons + multiplicity) % 2 == 0:
        kind, count = "an odd" if electrons % 2 == 0 else "an even", f"{electrons} electrons"
        return f"{count} (charge {charge:+d}) cannot have multiplicity {multiplicity}, but {kind} one"
    return None


def is_usual(numbers: np.ndarray, charge: int, multiplicity: int) -> bool:
    """Whether a molecule is neutral and of the lowest multiplicity, as what states nothing is taken to be."""
    return charge == 0 and multiplicity == lowest_multiplicity(numbers)
