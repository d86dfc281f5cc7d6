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

CLOSE = 100.0
"""A wavenumber that is reproduced lies so near to the reference's, cm-1."""

CURVATURE = Table(
    "curvature",
    {
        "loss": TEXT, "seed": INTEGER, "set": TEXT, "reaction": TEXT, "structure": INTEGER,
        "path_coordinate": NUMBER, "modes": INTEGER, "eigenvalue_error": NUMBER,
        **{f"wavenumber_error_{name}": NUMBER for name in RANGES},
        **{f"wavenumber_squared_{name}": NUMBER for name in RANGES}, "close": INTEGER,
        "lowest_wavenumber": NUMBER, "lowest_wavenumber_reference": NUMBER,
        **{f"modes_{name}": INTEGER for name in RANGES}, "zero_point_error": NUMBER,
        "lowest_overlap": NUMBER, "second_overlap": NUMBER, "imaginary_reference": INTEGER,
        "imaginary": INTEGER,
    },
    nullable=frozenset({"path_coordinate"}),  # structures of no path
    lowest={"modes": 1, "eigenvalue_error": 0, "lowest_overlap": 0, "second_overlap": 0, "imaginary": 0},
    key=("loss", "seed", "set", "reaction", "structure"),
)  # fmt: skip
"""One row per model and structure: sums over its modes, those of model and reference both in ascending order.

No other way of pairing them has a smaller sum of squared errors, so that no matching of modes can do better.
Eigenvalues of the projected mass-weighted Hessian in kcal/mol/Angstrom^2/amu; absolute and squared errors of
wavenumbers in cm-1 and cm-2 by the range of the reference's, and how many are within `CLOSE`; the error of
the harmonic zero-point energy in kcal/mol, with its sign; absolute overlaps of the two lowest modes with the
reference's; how many modes have a negative force constant. The place on the reaction path is in
amu^(1/2) Angstrom, 0 at the transition state.
"""

STAGE = Stage("curvature", "hessbench.experiments.curvature.run")
