"""Table weights: errors of E-F and E-F-H with the paper's weights of force and Hessian and with others.

Means over the models; "gain" is by how much E-F-H is better than E-F trained with the same weights. What
remains of a gain of the paper when the weights change is the Hessians' part in it.
"""

from pathlib import Path

import pandas as pd

from hessbench.experiments.weights.run.tables import WEIGHTS
from hessbench.experiments.weights.statistics import BASE, WITH_HESSIANS, by_weights, choices, gain
from hessbench.plotting.figure import count_text
from hessbench.results.reader import Results
from hessbench.results.store.names import QUANTITIES, SETS
from hessbench.results.table_files import quantity_cells, with_spread, write_table_files

TITLE = "Table weights. Errors by the weights of force and Hessian in the loss"
STAGES = ("variants",)


def make(results: Results, tables: Path) -> list[Path]:
    """Write tables/table-weights.{csv,md,tex} from results/weights.parquet.

    Raises
    ------
    HessbenchError
        The table is missing or broken.
    """
    provenance = results.provenance(WEIGHTS)
    key = ["set", "quantity", "weights", "loss"]
    found = by_weights(results).set_index(key).to_dict("index")
    rows = []
    for test_set in SETS:
        for quantity in QUANTITIES:
            for choice in choices(results).to_dict("records"):
                place = test_set, quantity, choice["weights"]
                base, better = found[*place, BASE], found[*place, WITH_HESSIANS]
                rows.append(
                    {
                        "set": test_set,
                        "quantity": quantity,
                        "unit": better["unit"],
                        "whose_weights": choice["whose"],
                        "force_weight_ef": base["force_weight"],
                        "force_weight": choice["force_weight"],
                        "hessian_weight": choice["hessian_weight"],
                        "rmse_ef": base["rmse"],
                        "spread_ef": base["spread"],
                        "models_ef": base["models"],
                        "rmse_efh": better["rmse"],
                        "spread_efh": better["spread"],
                        "models_efh": better["models"],
                        "gain": gain(base["rmse"], better["rmse"]),
                    }
                )
    frame = pd.DataFrame(rows)
    readable = pd.DataFrame(
        {
            "Set": frame["set"].str.upper(),
            "Quantity": quantity_cells(frame),
            "Weights": [
                f"{force:g} / {hessian:g}"
                for force, hessian in zip(frame["force_weight"], frame["hessian_weight"], strict=True)
            ],
            "Whose": frame["whose_weights"],
            BASE: with_spread(frame["rmse_ef"], frame["spread_ef"]),
            WITH_HESSIANS: with_spread(frame["rmse_efh"], frame["spread_efh"]),
            "Gain (%)": [f"{100 * share:.0f}".replace("-", "−") for share in frame["gain"]],
        }
    )
    models = count_text([*frame["models_ef"], *frame["models_efh"]])
    footer = (
        f"Weights: of force / of Hessian (E-F-H alone). Trained on {provenance.notes['percent']} % of the "
        f"data. Mean over {models} models ± their sample standard deviation. {results.run.footer}"
    )
    return write_table_files(
        "table-weights", TITLE, footer, provenance.data, frame=frame, readable=readable, tables=tables
    )
