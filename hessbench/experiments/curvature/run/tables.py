"""Results table of the curvature, and what it is made from."""

from hessbench.config.inputs import Stage
from hessbench.results.store.tables import INTEGER, NUMBER, TEXT, Table

RANGES = {
    "imaginary": (-float("inf"), 0.0),
    "low": (0.0, 500.0),
    "middle": (500.0, 2000.0),
    "high": (2000.0, float("inf")),
}
"""Ranges of the reference's wavenumbers, cm-1; those of negative force constants are negative."""

CURVATURE = Table(
    "curvature",
    {
        "loss": TEXT, "seed": INTEGER, "set": TEXT, "reaction": TEXT, "structure": INTEGER, "modes": INTEGER,
        "eigenvalue_error": NUMBER, **{f"wavenumber_error_{name}": NUMBER for name in RANGES},
        **{f"modes_{name}": INTEGER for name in RANGES}, "zero_point_error": NUMBER,
        "lowest_overlap": NUMBER, "second_overlap": NUMBER, "imaginary_reference": INTEGER,
        "imaginary": INTEGER,
    },
    lowest={"modes": 1, "eigenvalue_error": 0, "lowest_overlap": 0, "second_overlap": 0, "imaginary": 0},
    key=("loss", "seed", "set", "reaction", "structure"),
)  # fmt: skip
"""One row per model and structure: sums of absolute errors over its modes in ascending order, their numbers.

Eigenvalues of the projected mass-weighted Hessian in kcal/mol/Angstrom^2/amu; wavenumbers in cm-1 by the
range of the reference's; the error of the harmonic zero-point energy in kcal/mol, with its sign; absolute
overlaps of the two lowest modes with the reference's; how many modes have a negative force constant.
"""

STAGE = Stage("curvature", "hessbench.experiments.curvature.run")
