"""Table ensemble: errors of the mean over an ensemble beside the mean of its models' errors, and the spread.

A spread that tells the error is as large as it (ratio 1) and larger where the error is larger (rank
correlation 1, over structures). Mean and spread are over the models of one loss; the spread is their sample
standard deviation, root mean square over all elements.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from hessbench.experiments.calibration.run.tables import CALIBRATION
from hessbench.experiments.errors.ensembles import rmse_of_models
from hessbench.plotting.figure import count_text
from hessbench.plotting.style import in_order
from hessbench.results.reader import Results
from hessbench.results.store.names import QUANTITIES, SETS, UNITS
from hessbench.results.table_files import number_cells, quantity_cells, write_table_files

TITLE = "Table ensemble. Errors of ensemble means, and the spread of their models"
STAGES = ("evaluate", "calibration")


def make(results: Results, tables: Path) -> list[Path]:
    """Write tables/table-ensemble.{csv,md,tex} from results/calibration.parquet and the errors of the models.

    Raises
    ------
    HessbenchError
        A table is missing or broken.
    """
    provenance = results.provenance(CALIBRATION)
    table = results.table(CALIBRATION)
    of_models = rmse_of_models(results, largest=True)
    rows = []
    for test_set in SETS:
        for quantity in QUANTITIES:
            for loss in in_order(table["loss"].unique()):
                chosen = table[
                    (table["set"] == test_set) & (table["quantity"] == quantity) & (table["loss"] == loss)
                ]
                single = of_models[
                    (of_models["set"] == test_set)
                    & (of_models["quantity"] == quantity)
                    & (of_models["loss"] == loss)
                ]
                elements = chosen["count"].sum()
                rmse = float(np.sqrt(chosen["squared"].sum() / elements))
                spread = float(np.sqrt(chosen["variance"].sum() / elements))
                rows.append(
                    {
                        "set": test_set,
                        "quantity": quantity,
                        "unit": UNITS[quantity],
                        "loss": loss,
                        "models": int(chosen["models"].iloc[0]),
                        "structures": len(chosen),
                        "rmse_of_models": single["rmse"].mean(),
                        "rmse_of_mean": rmse,
                        "spread": spread,
                        "error_over_spread": rmse / spread,
                        "rank_correlation": _rank_correlation(chosen),
                    }
                )
    frame = pd.DataFrame(rows)
    readable = pd.DataFrame(
        {
            "Set": frame["set"].str.upper(),
            "Quantity": quantity_cells(frame),
            "Loss": frame["loss"],
            "RMSE, mean of models": frame["rmse_of_models"].map("{:.2f}".format),
            "RMSE of the mean": frame["rmse_of_mean"].map("{:.2f}".format),
            "Spread": frame["spread"].map("{:.2f}".format),
            "Error / spread": frame["error_over_spread"].map("{:.2f}".format),
            "Rank correlation": number_cells(frame["rank_correlation"], "{:.2f}"),
        }
    )
    footer = f"Ensembles of {count_text(frame['models'])} models. {results.run.footer}"
    return write_table_files(
        "table-ensemble", TITLE, footer, provenance.data, frame=frame, readable=readable, tables=tables
    )


def _rank_correlation(rows: pd.DataFrame) -> float:
    """Spearman's correlation of error and spread of the structures."""
    errors, spreads = (np.sqrt(rows[name] / rows["count"]) for name in ("squared", "variance"))
    return float(spearmanr(errors, spreads).statistic)
