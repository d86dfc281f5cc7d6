"""Table robustness: errors, and verdicts on the claims about Tables 2-4, by the recipe of the training.

The recipe of the profile beside others: which claims hang on how the models are trained. Each claim has under
every recipe its verdict and the number that decides it with its interval, by the rules and lines of the
verdicts; the last column says how many of the recipes reproduce its direction. Data, steps and all else that
a recipe does not change are those of the profile.
"""

from pathlib import Path

import pandas as pd

from hessbench.config.loss_labels import PAPER_LABELS
from hessbench.experiments.errors.claims import OF_TABLES
from hessbench.experiments.errors.ensembles import rmse_of_models
from hessbench.experiments.robustness.run.tables import ROBUSTNESS
from hessbench.plotting.figure import count_text
from hessbench.results.reader import Results
from hessbench.results.store.names import QUANTITIES, SETS, UNITS
from hessbench.results.table_files import quantity_cells, write_table_files
from hessbench.verification.verdicts import OPPOSITE, REPRODUCED, readable, verdicts

NAME = "table-robustness"
TITLE = "Table robustness. Errors and verdicts by the recipe of the training"
RMSE = ["recipe", "set", "quantity", "unit", "loss", "rmse", "spread", "models"]
VERDICT = [
    "claim", "statement", "verdict", "direction", "size", "number", "published", "reproduced", "ci_low",
    "ci_high", "line",
]  # fmt: skip
"""Columns of the CSV file: those of a row of errors, and of a verdict."""
ALL = "all"
"""What is said of a claim whose direction every recipe reproduces."""


def recipes(results: Results) -> dict[str, Results]:
    """Results by recipe: those of the run itself under the name of its profile, then those of each other.

    Raises
    ------
    MissingResultsError
        The run has no list of recipes.
    """
    rows = results.table(ROBUSTNESS).to_dict("records")
    others = {row["recipe"]: results.within(f"{ROBUSTNESS.name}/{row['folder']}") for row in rows}
    return {f"profile {results.run.profile}": results, **others}


def verdicts_by_recipe(results: Results) -> pd.DataFrame:
    """Judge the claims about Tables 2-4 under every recipe.

    Returns
    -------
    DataFrame
        Columns of `hessbench.verification.verdicts.verdicts`, whose statistics and lines these are, after a
        column recipe.
    """
    claims = [statistic.__name__ for statistic in OF_TABLES]
    tables = []
    for name, own in recipes(results).items():
        table = verdicts(own, claims)
        table.insert(0, "recipe", name)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def under_all(directions: pd.Series) -> str:
    """What the directions of one claim under all recipes have in common: `ALL`, or how many are otherwise."""
    counts = directions.value_counts()
    reproduced, opposite = counts.get(REPRODUCED, 0), counts.get(OPPOSITE, 0)
    if reproduced == len(directions):
        return ALL
    text = f"{reproduced} of {len(directions)}"
    return text + (f", {opposite} opposite" if opposite else "")


def write_robustness_table(*, results: Results, tables: Path) -> list[Path]:
    """Write tables/table-robustness.{csv,md,tex} and give the paths; none where there are no other recipes.

    Raises
    ------
    HessbenchError
        Results are missing or broken.
    """
    provenance = results.provenance(ROBUSTNESS)
    if results.table(ROBUSTNESS).empty:
        return []
    errors = pd.concat(
        [_errors(own).assign(recipe=name) for name, own in recipes(results).items()], ignore_index=True
    )
    judged = verdicts_by_recipe(results)
    text = readable(judged)
    judged["text"] = text["Verdict"] + ": " + text["Here"]
    wide = [
        table.pivot_table(index="row", columns="recipe", values="text", aggfunc="first", sort=False)[
            list(recipes(results))
        ]
        for table in (errors, judged.rename(columns={"statement": "row"}))
    ]
    wide[1]["direction reproduced by"] = judged.groupby("statement", sort=False)["direction"].agg(under_all)
    footer = (
        f"RMSE: {' / '.join(PAPER_LABELS)}, mean over the models; number of models of a loss: "
        f"{count_text(errors['models'])}. Trained on {provenance.notes['percent']} % of the data. "
        f"{results.run.footer}"
    )
    return write_table_files(
        NAME,
        TITLE,
        footer,
        provenance.data,
        frame=pd.concat([errors[RMSE], judged[["recipe", *VERDICT]]], ignore_index=True),
        readable=pd.concat(wide).fillna("").rename_axis("RMSE, or claim").reset_index(),
        tables=tables,
    )


def _errors(results: Results) -> pd.DataFrame:
    """Mean RMSE of each loss on each test set with the most data, and a text of the three losses a row."""
    models = rmse_of_models(results, largest=True)
    key = ["set", "quantity", "loss"]
    means = models.groupby(key)["rmse"].agg(rmse="mean", spread="std", models="count")
    index = pd.MultiIndex.from_product([SETS, QUANTITIES, PAPER_LABELS], names=key)
    found: pd.DataFrame = means.loc[index].reset_index()
    found["unit"] = found["quantity"].map(UNITS)
    found["row"] = found["set"].str.upper() + " " + quantity_cells(found)
    texts = found.groupby("row")["rmse"].agg(lambda values: " / ".join(f"{value:.3g}" for value in values))
    return found.assign(text=found["row"].map(texts))
