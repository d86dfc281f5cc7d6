"""What became of the bands of held-out reactions, by potential and by the springs of the bands."""

import pandas as pd

from hessbench.config.loss_labels import REFERENCE
from hessbench.experiments.neb.claims import BARRIER_ERROR
from hessbench.experiments.neb.run.tables import SPRINGS, SUMMARY
from hessbench.plotting.style import in_order
from hessbench.results.reader import Results

HELD_OUT, CONVERGED = "held-out", "converged"


def by_springs(results: Results) -> pd.DataFrame:
    """Count how the bands of the held-out reactions ended; those of the profile's springs come first.

    Returns
    -------
    DataFrame
        Columns spring_ev_a2, loss (the reference first), reactions, bands, `converged`, `failures`
        ("3 not converged, 1 exploded"), `accurate` (bands that converge to a barrier within `BARRIER_ERROR`),
        `error` (mean absolute error of the converged barriers, kcal/mol), `rmsd_ts` (mean distance
        of the highest image from the refined transition state, converged bands, Angstrom); numbers of
        converged bands are empty where none is.

    Raises
    ------
    HessbenchError
        A table is missing or cannot be used.
    """
    own = results.rows(SUMMARY, results.table(SUMMARY), kind=HELD_OUT)
    spring = float(results.provenance(SUMMARY).notes["neb"]["band"]["spring_ev_a2"])
    rows = []
    for bands in (own.assign(spring_ev_a2=spring), results.table(SPRINGS)):
        for value, of_spring in bands.groupby("spring_ev_a2"):
            for loss in (REFERENCE, *in_order(of_spring["loss"])):
                place = {"spring_ev_a2": value, "loss": loss}
                rows.append(place | _counts(of_spring[of_spring["loss"] == loss]))
    return pd.DataFrame(rows)


def _counts(bands: pd.DataFrame) -> dict[str, object]:
    good = bands[bands["status"] == CONVERGED]
    errors = (good["barrier"] - good["barrier_reference"]).abs()
    failures = bands.loc[bands["status"] != CONVERGED, "status"].value_counts()
    return {
        "reactions": bands["reaction"].nunique(),
        "bands": len(bands),
        "converged": len(good),
        "failures": ", ".join(f"{count} {status}" for status, count in failures.items()),
        "error": errors.mean(),
        "accurate": int((errors <= BARRIER_ERROR).sum()),
        "rmsd_ts": good["rmsd_ts"].mean(),
    }
