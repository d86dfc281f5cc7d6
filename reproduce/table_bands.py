"""Table bands: what became of the bands of the held-out reactions, by potential and by their springs.

The reference's bands start where the models' do: what it does not converge for is no fault of a model.
Accurate is a band that converges to a barrier within 1 kcal/mol of that of the refined transition state; one
that fails is not. The distance is that of the highest image from that state, of the bands that converge.
"""

from pathlib import Path

import pandas as pd

from hessbench.experiments.neb.run.tables import SUMMARY
from hessbench.experiments.neb.statistics import by_springs
from hessbench.results.reader import Results
from hessbench.results.table_files import number_cells, write_table_files

TITLE = "Table bands. Nudged elastic bands of held-out reactions"
STAGES = ("neb",)


def make(results: Results, tables: Path) -> list[Path]:
    """Write tables/table-bands.{csv,md,tex} from results/neb_summary.parquet and neb_springs.parquet.

    Raises
    ------
    HessbenchError
        A table is missing or broken.
    """
    provenance = results.provenance(SUMMARY)
    frame = by_springs(results)
    bands = frame["bands"].astype(str)
    readable = pd.DataFrame(
        {
            "Springs (eV/Å²)": frame["spring_ev_a2"].map("{:g}".format),
            "Potential": frame["loss"],
            "Converged": frame["converged"].astype(str) + " of " + bands,
            "Failed": frame["failures"],
            "Accurate": frame["accurate"].astype(str) + " of " + bands,
            "Barrier error (kcal/mol)": number_cells(frame["error"], "{:.2f}"),
            "Distance (Å)": number_cells(frame["rmsd_ts"], "{:.2f}"),
        }
    )
    second = " Springs other than the first: one attempt." if len(frame["spring_ev_a2"].unique()) > 1 else ""
    footer = (
        f"Bands of {frame['reactions'].max()} reactions. Barrier error: mean absolute one of the bands that "
        f"converge.{second} {results.run.footer}"
    )
    return write_table_files(
        "table-bands", TITLE, footer, provenance.data, frame=frame, readable=readable, tables=tables
    )
