"""Table cost: errors and processor time of training, by how Hessians enter the loss.

Exact E-F-H beside E-F-HVP, which estimates the Hessian's error from products with random vectors or from
random rows, and E-F, which has no Hessians; all else of the training is equal.
"""

from pathlib import Path

import pandas as pd

from hessbench.experiments.cost.run.tables import COST
from hessbench.experiments.cost.statistics import by_cost, sentence
from hessbench.plotting.figure import count_text
from hessbench.plotting.style import in_order
from hessbench.results.reader import Results
from hessbench.results.store.names import QUANTITIES
from hessbench.results.table_files import write_table_files

TITLE = "Table cost. Errors on held-out stationary points and processor time of training"
STAGES = ("variants",)


def make(results: Results, tables: Path) -> list[Path]:
    """Write tables/table-cost.{csv,md,tex} from results/cost.parquet.

    Raises
    ------
    HessbenchError
        The table is missing or broken.
    """
    provenance = results.provenance(COST)
    found = by_cost(results)
    found["loss"] = pd.Categorical(found["loss"], in_order(found["loss"]), ordered=True)
    found = found.sort_values(["length", "loss"])
    found["loss"] = found["loss"].astype(str)
    key = ["loss", "length", "epochs", "cpu_seconds"]
    wide = found.pivot_table(index=key, columns="quantity", values="rmse", sort=False).reset_index()
    readable = pd.DataFrame(
        {
            "Loss": wide["loss"],
            "Epochs": wide["epochs"],
            "Training (s)": [f"{value:.3g}" for value in wide["cpu_seconds"]],
            "Energy (kcal/mol)": [f"{value:.3g}" for value in wide["energy"]],
            "Force (kcal/mol/Å)": [f"{value:.3g}" for value in wide["force"]],
            "Hessian (kcal/mol/Å²)": [f"{value:.3g}" for value in wide["hessian"]],
        }
    )
    frame = wide.rename(columns={quantity: f"rmse_{quantity}" for quantity in QUANTITIES})
    footer = (
        f"{sentence(found)} RMSE, mean over {count_text(found['models'])} models, trained on "
        f"{provenance.notes['percent']} % of the data; seconds of processor time. {results.run.footer}"
    )
    return write_table_files(
        "table-cost", TITLE, footer, provenance.data, frame=frame, readable=readable, tables=tables
    )
