"""Errors of the normal modes of a Hessian.

Translations and rotations are projected out at every geometry (Eckart conditions): off stationary points,
too, where rotations have curvature of their own, so that as many modes are compared for every structure.
A wavenumber there is that of the harmonic potential with this Hessian.
"""

import numpy as np
from ase import units as _ase

from hessbench.chemistry.normal_modes import NormalModes
from hessbench.experiments.curvature.run.tables import CLOSE, RANGES

ZERO_POINT = 0.5 * _ase.invcm / (_ase.kcal / _ase.mol)
"""Zero-point energy in kcal/mol of a mode of 1 cm-1."""


def zero_point_energy(modes: NormalModes) -> float:
    """Half the sum of the real wavenumbers as an energy, kcal/mol."""
    return float(ZERO_POINT * modes.wavenumbers.clip(min=0.0).sum())


def overlap(modes: NormalModes, reference: NormalModes, index: int) -> float:
    """Absolute scalar product of the modes of one index, counted from the lowest; 1 if they are the same."""
    return float(abs(modes.vectors[:, index] @ reference.vectors[:, index]))


def mode_errors(modes: NormalModes, reference: NormalModes) -> dict[str, float | int]:
    """Compare the modes of one structure with the reference's.

    Parameters
    ----------
    modes, reference
        Of the same structure, at least two.

    Returns
    -------
    dict
        Columns of the results table `CURVATURE`, from `modes` on.
    """
    expected = reference.wavenumbers
    errors = np.abs(modes.wavenumbers - expected)
    inside = {name: (low <= expected) & (expected < high) for name, (low, high) in RANGES.items()}
    return {
        "modes": len(expected),
        "eigenvalue_error": float(np.abs(modes.force_constants - reference.force_constants).sum()),
        **{f"wavenumber_error_{name}": float(errors[chosen].sum()) for name, chosen in inside.items()},
        **{
            f"wavenumber_squared_{name}": float((errors[chosen] ** 2).sum())
            for name, chosen in inside.items()
        },
        "close": int((errors < CLOSE).sum()),
        "lowest_wavenumber": float(modes.wavenumbers[0]),
        "lowest_wavenumber_reference": float(expected[0]),
        **{f"modes_{name}": int(chosen.sum()) for name, chosen in inside.items()},
        "zero_point_error": zero_point_energy(modes) - zero_point_energy(reference),
        "lowest_overlap": overlap(modes, reference, 0),
        "second_overlap": overlap(modes, reference, 1),
        "imaginary_reference": reference.imaginary,
        "imaginary": modes.imaginary,
    }
