"""With Hessians E-F-H finds eight of ten; without, and with other losses, fewer."""

from itertools import product
from pathlib import Path

import pandas as pd

from hessbench.experiments.ts_search.run.tables import SEARCHES
from hessbench.results.store.tables import write_table
from tests.experiments.synthetic import Generator, made_from


def write(results: Path, generator: Generator) -> None:
    rows = []
    found = {"E": 1, "E-F": 4, "E-F-H": 8, "reference": 9}
    for (loss, many), (fewer, hessian), reaction in product(
        found.items(), enumerate(("exact", "none")), range(10)
    ):
        status = "found" if reaction < many - fewer else ("elsewhere", "not converged")[reaction % 2]
        converged = status != "not converged"
        rows.append(
            {
                "reaction": f"rxn{reaction:06d}", "loss": loss, "seed": 0, "hessian": hessian,
                "status": status, "reason": "" if converged else "largest force above 0.01 eV/Angstrom",
                "steps": 10 + reaction, "gradient_calls": 11 + reaction,
                "hessian_calls": 0 if fewer else 11 + reaction, "imaginary": 1 if converged else None,
                "rmsd": 0.01 * (reaction + 1), "cpu_s": 1.0,
            }
        )  # fmt: skip
    settings = {"displacement_a": 0.1, "same_a": 0.2, "fmax_ev_a": 0.01, "steps": 100}
    made = made_from("rtp", models=1, ts_search=settings)
    write_table(results, SEARCHES, pd.DataFrame(rows), made)
