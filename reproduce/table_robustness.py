"""Table robustness: errors, and verdicts on the claims about Tables 2-4, by the recipe of the training.

The recipe of the profile beside others: which claims hang on how the models are trained. Each claim has under
every recipe its verdict and the number that decides it with its interval, by the rules and lines of the
verdicts; the last column says how many of the recipes reproduce its direction. Data, steps and all else that a
recipe does not change are those of the profile.
"""

from pathlib import Path

import pandas as pd

from hessbench.config.loss_labels import PAPER_LABELS
from hessbench.experiments.errors.ensembles import rmse_of_models
from hessbench.experiments.robustness.run.tables import ROBUSTNESS
from hessbench.plotting.figure import count_text
from hessbench.results.reader import Results
from hessbench.results.store.names import QUANTITIES, SETS, UNITS
from hessbench.results.table_files import quantity_cells, write_table_files
from hessbench.verification.robustness import recipes, under_all, verdicts_by_recipe
from hessbench.verification.verdicts import readable

TITLE = "Table robustness. Errors and verdicts by the recipe of the training"
STAGES = ("evaluate", "robustness")
RMSE = ["recipe", "set", "quantity", "unit", "loss", "rmse", "spread", "models"]
VERDICT = [
    "claim",
    "statement",
    "verdict",
    "direction",
    "size",
    "number",
    "published",
    "reproduced",
    "ci_low",
    "ci_high",
    "line",
]
"""Columns of the CSV file: those of a row of errors, and of a verdict."""


def is_wanted(results: Results) -> bool:
    """Whether the profile has other recipes.

    Raises
    ------
    HessbenchError
        The list of them is missing or broken.
    """
    return not results.table(ROBUSTNESS).empty


def make(results: Results, tables: Path) -> list[Path]:
    """Write tables/table-robustness.{csv,md,tex} from the errors of all recipes.

    Raises
    ------
    HessbenchError
        A table is missing or broken.
    """
    provenance = results.provenance(ROBUSTNESS)
    errors = pd.concat(
        [_errors(own).assign(recipe=name) for name, own in recipes(results).items()], ignore_index=True
    )
    judged = verdicts_by_recipe(results)
    judged["text"] = readable(judged)["Verdict"] + ": " + readable(judged)["Here"]
    frame = pd.concat([errors[RMSE], judged[["recipe", *VERDICT]]], ignore_index=True)
    order = list(recipes(results))
    wide = [
        table.pivot_table(index="row", columns="recipe", values="text", aggfunc="first", sort=False)[order]
        for table in (errors, judged.rename(columns={"statement": "row"}))
    ]
    wide[1]["direction reproduced by"] = judged.groupby("statement", sort=False)["direction"].agg(under_all)
    rows = pd.concat(wide).fillna("").rename_axis("RMSE, or claim").reset_index()
    footer = (
        f"RMSE: {' / '.join(PAPER_LABELS)}, mean over {count_text(errors['models'])} models, "
        f"trained on {provenance.notes['percent']} % of the data. {results.run.footer}"
    )
    return write_table_files(
        "table-robustness",
        TITLE,
        footer,
        provenance.data,
        frame=frame,
        readable=rows,
        tables=tables,
    )


def _errors(results: Results) -> pd.DataFrame:
    """Mean RMSE of each loss on each test set with the most data, and a text of the three losses a row."""
    models = rmse_of_models(results, largest=True)
    models = models[models["loss"].isin(PAPER_LABELS)]
    key = ["set", "quantity", "loss"]
    found = models.groupby(key)["rmse"].agg(rmse="mean", spread="std", models="count")
    index = pd.MultiIndex.from_product([SETS, QUANTITIES, PAPER_LABELS], names=key)
    found = found.loc[index].reset_index()
    found["unit"] = found["quantity"].map(UNITS)
    found["row"] = found["set"].str.upper() + " " + quantity_cells(found)
    texts = found.groupby("row")["rmse"].agg(lambda values: " / ".join(f"{value:.3g}" for value in values))
    return found.assign(text=found["row"].map(texts))
