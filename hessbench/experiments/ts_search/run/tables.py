"""Results table of the transition state searches, and what it is made from."""

from hessbench.config.inputs import Stage
from hessbench.results.store.tables import INTEGER, NUMBER, TEXT, Table

SEARCHES = Table(
    "ts_search",
    {
        "reaction": TEXT, "loss": TEXT, "seed": INTEGER, "hessian": TEXT, "status": TEXT, "reason": TEXT,
        "steps": INTEGER, "gradient_calls": INTEGER, "hessian_calls": INTEGER, "imaginary": INTEGER,
        "rmsd": NUMBER, "cpu_s": NUMBER,
    },
    lowest={"steps": 0, "gradient_calls": 0, "hessian_calls": 0, "imaginary": 0, "rmsd": 0, "cpu_s": 0},
    key=("reaction", "loss", "seed", "hessian"),
    may_be_empty=True,
)  # fmt: skip
"""How each search ended; one row a reaction, potential and use of its Hessian ("exact" or "none").

`status`: "found" is the transition state of the reference, "elsewhere" another stationary point, "not
converged" and "failed" say themselves. `rmsd` to the transition state of the reference after
superposition, `imaginary` modes by the potential's Hessian where the search ended; the calls are those of the
search.
"""

STAGE = Stage(
    "ts_search",
    "hessbench.experiments.ts_search.run",
    settings=("ts_search",),
    files=("ts_search.geometries",),
)
"""Transition state searches with the Hessians of models, and without."""
