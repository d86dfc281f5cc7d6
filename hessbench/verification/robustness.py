"""What the claims about Tables 2-4 come out as when the models are trained by other recipes."""

import pandas as pd

from hessbench.experiments.errors.claims import OF_TABLES
from hessbench.experiments.robustness.run.tables import ROBUSTNESS
from hessbench.results.reader import Results
from hessbench.verification.verdicts import OPPOSITE, REPRODUCED, verdicts

ALL = "all"
"""What `under_all` says of a claim whose direction every recipe reproduces."""


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
