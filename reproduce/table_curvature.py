"""Table curvature: vibrations, saddle points and minima by predicted Hessians, against the reference.

Means over modes or structures and over the models, with 95 % intervals over reactions and models.
Translations and rotations are projected out at every geometry; IRC and NMS structures are not stationary.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from hessbench.experiments.curvature.run.tables import CURVATURE
from hessbench.experiments.curvature.statistics import estimates
from hessbench.plotting.figure import count_text
from hessbench.plotting.style import in_order
from hessbench.results.reader import Results
from hessbench.results.table_files import write_table_files

TITLE = "Table curvature. Vibrations, saddle points and minima by predicted Hessians"
STAGES = ("curvature",)


def make(results: Results, tables: Path) -> list[Path]:
    """Write tables/table-curvature.{csv,md,tex} from results/curvature.parquet.

    Raises
    ------
    HessbenchError
        The table is missing or broken.
    """
    provenance = results.provenance(CURVATURE)
    found = estimates(results)
    losses = in_order(found["loss"].unique())
    rows = []
    for (test_set, label, unit), group in found.groupby(["set", "label", "unit"], sort=False):
        texts = {row["loss"]: _text(row) for row in group.to_dict("records")}
        named = f"{label} ({unit})" if unit else label
        rows.append(
            {"Set": str(test_set).upper(), "Quantity": named} | {key: texts.get(key, "") for key in losses}
        )
    frame = found.drop(columns="label").rename(columns={"low": "ci_low", "high": "ci_high"})
    frame[["ci_low", "ci_high"]] = frame[["ci_low", "ci_high"]].replace([np.inf, -np.inf], np.nan)
    footer = (
        f"Mean over {count_text(found['models'])} models, in brackets the 95 % interval over reactions and "
        "models. "
        f"{results.run.footer}"
    )
    return write_table_files(
        "table-curvature",
        TITLE,
        footer,
        provenance.data,
        frame=frame,
        readable=pd.DataFrame(rows),
        tables=tables,
    )


def _text(row: dict) -> str:
    value, low, high = (f"{float(f'{row[key]:.3g}'):g}" for key in ("value", "low", "high"))
    return value if np.isinf(row["low"]) else f"{value} [{low}, {high}]"
