"""Table ts_search: transition states of held-out reactions, searched with Hessians and without.

Every search starts from the reference's transition state, displaced at random. It found that state if it
converged to a point with one imaginary mode, no further from it than the stated distance. The reference, the
level of theory of the data, is the control: what it does not find from there is no fault of a model.
"""

from pathlib import Path

import pandas as pd

from hessbench.config.loss_labels import REFERENCE
from hessbench.experiments.ts_search.run.tables import SEARCHES
from hessbench.plotting.style import in_order
from hessbench.results.reader import Results
from hessbench.results.statistics import proportion
from hessbench.results.table_files import number_cells, write_table_files

TITLE = "Table ts_search. Transition states found with and without the potential's Hessian"
STAGES = ("ts_search",)
OPTIONAL = True
COUNTED = ("steps", "gradient_calls", "hessian_calls", "rmsd")
"""Columns of which the median over the searches that found the transition state is shown."""
NAMES = {"exact": "at every point", "none": "none"}
COLUMNS = (
    "loss", "hessian", "reactions", "found", "share", "ci_low", "ci_high", "saddles", "elsewhere",
    "not_converged", "failed", *COUNTED,
)  # fmt: skip


def make(results: Results, tables: Path) -> list[Path]:
    """Write tables/table-ts_search.{csv,md,tex} and give the paths; none where nothing was searched.

    Raises
    ------
    HessbenchError
        The table of results is missing or broken.
    """
    provenance = results.provenance(SEARCHES)
    table = results.table(SEARCHES)
    if table.empty:
        return []
    rows = []
    for loss in [*in_order(table["loss"].unique()), REFERENCE]:
        for use in NAMES:
            chosen = table[(table["loss"] == loss) & (table["hessian"] == use)]
            if len(chosen):
                rows.append({"loss": loss, "hessian": use} | _counts(chosen))
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    settings = provenance.notes["ts_search"]
    about = (
        f"From {settings['displacement_a']:g} Å (root mean square displacement of the atoms), at most "
        f"{settings['steps']} steps. Found: largest force below {settings['fmax_ev_a']:g} eV/Å, one "
        f"imaginary mode, within {settings['same_a']:g} Å; 95 % intervals of the share are exact "
        "(Clopper and Pearson). One imaginary mode: of the searches that converged, wherever. Steps, "
        "calls and distance: medians over the transition states found."
    )
    readable = pd.DataFrame(
        {
            "Potential": frame["loss"],
            "Hessian": frame["hessian"].map(NAMES),
            "Found": frame["found"].astype(str) + " of " + frame["reactions"].astype(str),
            "Share (%)": _percent(frame["share"])
            + " ["
            + _percent(frame["ci_low"])
            + ", "
            + _percent(frame["ci_high"])
            + "]",
            "One imaginary mode": frame["saddles"].astype(str),
            "Not converged": frame["not_converged"].astype(str),
            "Failed": frame["failed"].astype(str),
            "Steps": number_cells(frame["steps"], "{:.0f}", "–"),
            "Gradients": number_cells(frame["gradient_calls"], "{:.0f}", "–"),
            "Hessians": number_cells(frame["hessian_calls"], "{:.0f}", "–"),
            "Distance (Å)": number_cells(frame["rmsd"], "{:.3f}", "–"),
        }
    )
    return write_table_files(
        "table-ts_search",
        TITLE,
        f"{about} {results.run.footer}",
        provenance.data,
        frame=frame,
        readable=readable,
        tables=tables,
    )


def _counts(rows: pd.DataFrame) -> dict[str, float | int | None]:
    found = rows[rows["status"] == "found"]
    share = proportion(len(found), len(rows))
    status = rows["status"].value_counts()
    return {
        "reactions": len(rows),
        "found": len(found),
        "share": share.value,
        "ci_low": share.low,
        "ci_high": share.high,
        "saddles": int((rows["imaginary"] == 1).sum()),
        "elsewhere": int(status.get("elsewhere", 0)),
        "not_converged": int(status.get("not converged", 0)),
        "failed": int(status.get("failed", 0)),
        **{name: found[name].median() if len(found) else None for name in COUNTED},
    }


def _percent(shares: pd.Series) -> pd.Series:
    return shares.map(lambda share: f"{100 * share:.0f}")
