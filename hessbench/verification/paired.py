"""Two runs compared structure by structure: how much larger or smaller an error has become, with an interval.

Both runs test the same structures with models of the same seeds, so what is hard for both cancels in the
ratio of their errors, and a change of one or two percent shows where the errors themselves are known to ten.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from hessbench.errors import HessbenchError
from hessbench.results.statistics import LEVEL, REPLICATES, SEED, Array
from hessbench.verification.comparison import BETTER, WORSE

SAME = "no change"
PERHAPS = "perhaps "
NO_INTERVAL = "no interval"
UNIT = ["seed", "reaction", "structure"]
"""What is paired."""
GROUP = ["loss", "percent", "value"]
"""What a ratio is of."""
COLUMNS = [*GROUP, "models", "reactions", "pairs", "before", "now", "ratio", "low", "high", "p", "status"]


@dataclass(frozen=True)
class Amounts:
    """Amounts of one kind of value, a row for each model and structure.

    Attributes
    ----------
    rows
        Columns `GROUP`, `UNIT`, `amount` and `count`; the value of a model is (sum of amounts / sum of
        counts) to the power `power`.
    power
        0.5 of squared errors, which makes root mean squares; 1 of what is averaged.
    larger_is_better
        Whether a larger value is the better one.
    decides
        Whether becoming worse fails the gate.
    """

    rows: pd.DataFrame
    power: float
    larger_is_better: bool = False
    decides: bool = True


def compare_runs(before: Sequence[Amounts], now: Sequence[Amounts]) -> tuple[pd.DataFrame, list[str]]:
    """Ratios of all values that two runs have in common.

    The logarithm of a ratio is the mean over the models of that of each, paired by seed. Its variance is that
    of the mean over the models plus that of a Bayesian bootstrap over the reactions (Rubin, Ann. Stat. 9, 130
    (1981)), their degrees of freedom joined as by Welch and Satterthwaite; those of the reactions are of
    their effective number, (sum of errors)^2 / (sum of their squares). A value has become worse where its
    p-value, of all values that decide together by the procedure of Benjamini and Hochberg, is below 0.05;
    "perhaps" where it is so alone. With one model nothing is known of other seeds, and the interval is that
    of its reactions.

    Parameters
    ----------
    before, now
        The same kinds of values in the same order.

    Returns
    -------
    The table, columns `COLUMNS`, a row for each value; and sentences about what was not paired.

    Raises
    ------
    HessbenchError
        The runs have no model and structure in common, or were tested on structures of different sizes.
    """
    tables, notes = [], []
    for old, new in zip(before, now, strict=True):
        key = [*GROUP, *UNIT]
        joined = old.rows.merge(new.rows, on=key, how="outer", suffixes=("_before", "_now"), indicator=True)
        paired = joined[joined["_merge"] == "both"]
        if (paired["count_before"] != paired["count_now"]).any():
            place = paired[paired["count_before"] != paired["count_now"]].iloc[0]
            raise HessbenchError(
                f"Structure {place['structure']} of {place['reaction']} has other numbers of elements in "
                "the two runs: they were tested on different data and cannot be compared."
            )
        notes += _not_paired(joined)
        for group, rows in paired.groupby(GROUP, sort=False):
            tables.append(dict(zip(GROUP, group, strict=True)) | _ratio(rows, new))
    if not tables:
        raise HessbenchError(
            "The runs have no model and structure in common (same loss, percent, seed, set and structure); "
            "compare runs of one profile, with the same training.first_seed."
        )
    table = pd.DataFrame(tables)
    table["status"] = _statuses(table)
    return table[COLUMNS], notes


def _not_paired(joined: pd.DataFrame) -> list[str]:
    notes = []
    for side, name in (("left_only", "before"), ("right_only", "now")):
        alone = joined[joined["_merge"] == side]
        for group, rows in alone.groupby(GROUP, sort=False):
            loss, percent, value = group
            notes.append(f"{loss}, {percent} %, {value}: {len(rows)} only {name}, not compared")
    return notes


def _ratio(rows: pd.DataFrame, kind: Amounts) -> dict[str, object]:
    """One row of the table, without its status but with what decides about it."""
    sides = []
    for side in ("before", "now"):
        sums = rows.pivot_table(
            index="seed", columns="reaction", values=[f"amount_{side}", f"count_{side}"], aggfunc="sum"
        ).fillna(0.0)
        sides.append((sums[f"amount_{side}"].to_numpy(), sums[f"count_{side}"].to_numpy()))
    models, reactions = len(sides[0][0]), len(sides[0][0].T)
    every = np.ones((1, reactions))
    before, now = (_values(*side, every, kind.power)[:, 0] for side in sides)
    found: dict[str, object] = {
        "models": models, "reactions": reactions, "pairs": len(rows),
        "before": float(before.mean()), "now": float(now.mean()),
        "larger_is_better": kind.larger_is_better, "decides": kind.decides,
        "ratio": np.nan, "low": np.nan, "high": np.nan, "p": np.nan,
    }  # fmt: skip
    if (before <= 0).any() or (now <= 0).any():
        equal = np.array_equal(before, now)
        return found | ({"ratio": 1.0, "low": 1.0, "high": 1.0, "p": 1.0} if equal else {})
    each = np.log(now / before)
    center = float(each.mean())
    found["ratio"] = float(np.exp(center))
    if not np.ptp(each) and not center and np.array_equal(sides[0][0], sides[1][0]):
        return found | {"low": 1.0, "high": 1.0, "p": 1.0}
    if reactions == 1 and models == 1:
        return found
    weights = np.random.default_rng([SEED, reactions]).dirichlet(np.ones(reactions), REPLICATES)
    old, new = (_values(*side, weights, kind.power) for side in sides)
    # a few reactions may have most of the error: they are then the ones that count
    share = sides[0][0].sum(axis=0) / sides[0][0].sum()
    effective = max(float(1 / np.sum(share**2)), 1.5)
    of_reactions = float(np.log(new / old).mean(axis=0).var()) * effective / (effective - 1)
    of_models = float(each.var(ddof=1)) / models if models > 1 else 0.0
    total = of_reactions + of_models
    parts = ((of_reactions, effective - 1), (of_models, models - 1))
    denominator = sum(part**2 / freedom for part, freedom in parts if freedom and part)
    if not denominator:  # every pair has changed by the same factor
        return found | {"low": found["ratio"], "high": found["ratio"], "p": 0.0}
    freedom, error = total**2 / denominator, np.sqrt(total)
    reach = stats.t.ppf((1 + LEVEL) / 2, freedom) * error
    low, high = np.exp([center - reach, center + reach]).tolist()
    return found | {"low": low, "high": high, "p": float(2 * stats.t.sf(abs(center) / error, freedom))}


def _values(amounts: Array, counts: Array, weights: Array, power: float) -> Array:
    """Values of the S models from (S, R) sums with (B, R) weights of the reactions; (S, B)."""
    values: Array = ((amounts @ weights.T) / (counts @ weights.T)) ** power
    return values


def _statuses(table: pd.DataFrame) -> list[str]:
    """Words for all rows; those that decide are tested together."""
    level = 1 - LEVEL
    deciding = table.index[table["decides"] & table["p"].notna()]
    together = pd.Series(np.inf, table.index)
    if len(deciding):
        together[deciding] = stats.false_discovery_control(table.loc[deciding, "p"].to_numpy(float))
    words = []
    for row, jointly in zip(table.to_dict("records"), together, strict=True):
        if pd.isna(row["p"]):
            words.append(NO_INTERVAL)
        elif row["p"] >= level:
            words.append(SAME)
        else:
            word = BETTER if (row["ratio"] > 1) == row["larger_is_better"] else WORSE
            words.append(word if jointly < level else PERHAPS + word)
    return words
