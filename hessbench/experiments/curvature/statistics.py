"""What the table of the curvature says about each loss, with intervals over reactions and models."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from hessbench.experiments.curvature.run.tables import CURVATURE, RANGES
from hessbench.experiments.errors.statistics import reaction_weights
from hessbench.plotting.style import in_order
from hessbench.results.reader import Results
from hessbench.results.statistics import SEED, Estimate, interval, proportion, small_sample_factor
from hessbench.results.store.names import SETS

Column = Callable[[pd.DataFrame], pd.Series]


@dataclass(frozen=True)
class Metric:
    """A mean over modes or structures: the sum of `top` divided by that of `bottom`.

    Attributes
    ----------
    name
        In files, for example "zero_point_mae".
    label, unit
        For people.
    top, bottom
        Numbers of each row of the table.
    share
        Whether it is a share of structures.
    """

    name: str
    label: str
    unit: str
    top: Column
    bottom: Column
    share: bool = False


def _structures(rows: pd.DataFrame) -> pd.Series:
    return pd.Series(1.0, rows.index)


def _of_range(name: str) -> tuple[Column, Column]:
    return (lambda rows: rows[f"wavenumber_error_{name}"]), (lambda rows: rows[f"modes_{name}"])


def _recognized(imaginary: int) -> tuple[Column, Column]:
    """Among structures for which the reference has so many imaginary modes, those for which the model has."""

    def there(rows: pd.DataFrame) -> pd.Series:
        return (rows["imaginary_reference"] == imaginary).astype(float)

    return (lambda rows: there(rows) * (rows["imaginary"] == imaginary)), there


RANGE_LABELS = {
    "imaginary": "imaginary",
    "low": "below 500 cm⁻¹",
    "middle": "500 – 2000 cm⁻¹",
    "high": "above 2000 cm⁻¹",
}
METRICS = (
    Metric(
        "eigenvalue_mae",
        "eigenvalues, MAE",
        "kcal mol⁻¹ Å⁻² amu⁻¹",
        lambda rows: rows["eigenvalue_error"],
        lambda rows: rows["modes"],
    ),
    *(
        Metric(f"wavenumber_mae_{name}", f"wavenumbers {RANGE_LABELS[name]}, MAE", "cm⁻¹", *_of_range(name))
        for name in RANGES
    ),
    Metric(
        "zero_point_mae",
        "zero-point energy, MAE",
        "kcal mol⁻¹",
        lambda rows: rows["zero_point_error"].abs(),
        _structures,
    ),
    Metric(
        "lowest_overlap", "overlap of the lowest mode", "", lambda rows: rows["lowest_overlap"], _structures
    ),
    Metric(
        "second_overlap", "overlap of the second mode", "", lambda rows: rows["second_overlap"], _structures
    ),
    Metric(
        "imaginary_right",
        "right number of imaginary modes",
        "",
        lambda rows: (rows["imaginary"] == rows["imaginary_reference"]).astype(float),
        _structures,
        share=True,
    ),
    Metric(
        "minima_recognized", "no imaginary mode where the reference has none", "", *_recognized(0), share=True
    ),
    Metric(
        "saddles_recognized",
        "one imaginary mode where the reference has one",
        "",
        *_recognized(1),
        share=True,
    ),
)


def mean_estimate(rows: pd.DataFrame, metric: Metric) -> Estimate | None:
    """Mean of a metric over models and its interval over reactions and models.

    Reactions are drawn whole and models independently of them, as for RMSEs (see
    `hessbench.experiments.errors.statistics`); deviations of models are stretched for their small number.
    Where a share is 0 or 1 in every reaction, a bootstrap has nothing to draw from: the interval is the exact
    one of as many cases as there are reactions.

    Parameters
    ----------
    rows
        Of one loss and set.
    metric
        What to estimate.

    Returns
    -------
    Estimate or None
        Bounds are infinite with a single reaction; None if nothing is there to take the mean of.
    """
    terms = rows.assign(top=metric.top(rows), bottom=metric.bottom(rows))
    top, bottom = (
        terms.pivot_table(name, "seed", "reaction", "sum").to_numpy(float) for name in ("top", "bottom")
    )
    known = (bottom > 0).all(axis=0)  # the same for every model
    top, bottom = top[:, known], bottom[:, known]
    models, reactions = top.shape
    if not reactions:
        return None
    values = top.sum(axis=1) / bottom.sum(axis=1)
    if reactions == 1:
        return Estimate(float(values.mean()), -np.inf, np.inf)
    if metric.share and values.min() == values.max() and values[0] in (0.0, 1.0):
        return proportion(int(values[0]) * reactions, reactions)
    weights = reaction_weights(reactions)
    resampled = ((weights @ top.T) / (weights @ bottom.T)).mean(axis=1)
    if models > 1:
        draws = np.random.default_rng([SEED, models]).multinomial(
            models, np.full(models, 1 / models), size=len(weights)
        )
        resampled += small_sample_factor(models) * (draws @ values / models - values.mean())
    low, high = interval(resampled, reactions)
    if metric.share:
        low, high = max(low, 0.0), min(high, 1.0)
    return Estimate(float(values.mean()), low, high)


def estimates(results: Results) -> pd.DataFrame:
    """Every metric of every loss on every set.

    Returns
    -------
    DataFrame
        Columns set, metric, label, unit, loss, value, low, high, models, structures; a metric that has
        nothing to take the mean of is left out.
    """
    table = results.table(CURVATURE)
    found = []
    for test_set in SETS:
        of_set = table[table["set"] == test_set]
        for metric in METRICS:
            for loss in in_order(of_set["loss"].unique()):
                rows = of_set[of_set["loss"] == loss]
                estimate = mean_estimate(rows, metric)
                if estimate is None:
                    continue
                found.append(
                    {
                        "set": test_set,
                        "metric": metric.name,
                        "label": metric.label,
                        "unit": metric.unit,
                        "loss": loss,
                        "value": estimate.value,
                        "low": estimate.low,
                        "high": estimate.high,
                        "models": rows["seed"].nunique(),
                        "structures": len(rows) // rows["seed"].nunique(),
                    }
                )
    return pd.DataFrame(found)
