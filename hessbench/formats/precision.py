"""Energies that were stored with too few digits to be labels."""

import numpy as np

HALF = 11
"""Binary digits of a number of half precision; bfloat16 has fewer."""
COARSE = 0.5
"""Step between neighbouring numbers from which on they are too coarse for an energy, kcal/mol."""
EXACT = 1e-6
"""Part of that step by which a number may be off one, by a conversion of units there and back."""


def rounded_away(energies: np.ndarray, unit: float) -> str | None:
    """Look whether energies were kept in half precision, which is coarser than what labels are for.

    Parameters
    ----------
    energies
        (n,), as stored.
    unit
        In which they are, kcal/mol.

    Returns
    -------
    What tells so and what to do; None if nothing does.
    """
    if len(np.unique(energies)) < 2:  # one number may be round by chance
        return None
    fractions, exponents = np.frexp(energies)
    digits = fractions * 2.0**HALF
    step = float(np.max(np.exp2(exponents - HALF)[energies != 0.0])) * unit
    if step < COARSE or np.abs(digits - np.round(digits)).max() > EXACT:
        return None
    return (
        f"they are rounded to {step:.2g} kcal/mol, as numbers of half precision are; take them from where "
        "they have all digits"
    )
