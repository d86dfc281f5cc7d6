"""What two runs are compared by: test errors, and of experiments what each model gave in each case."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from hessbench.config.loss_labels import REFERENCE
from hessbench.errors import HessbenchError
from hessbench.experiments.curvature.run.tables import CURVATURE
from hessbench.experiments.curvature.statistics import METRICS
from hessbench.experiments.errors.run.tables import ERRORS
from hessbench.experiments.neb.run.tables import SUMMARY
from hessbench.experiments.stability.run.tables import STABILITY
from hessbench.results.reader import TRAINING
from hessbench.results.store.names import UNITS
from hessbench.results.store.tables import folders_of, read_provenance, read_table
from hessbench.system.reading import reading
from hessbench.verification.paired import GROUP, UNIT, Amounts

COLUMNS = [*GROUP, *UNIT, "amount", "count"]


def data_of_errors(results: Path) -> dict[str, str]:
    """Test set to the identity of the data that errors of a run are of.

    Raises
    ------
    HessbenchError
        A table is broken.
    """
    found: dict[str, str] = {}
    for part, folder in folders_of(results, ERRORS).items():
        found |= read_provenance(ERRORS.path(folder, part)).inputs.data
    return found


def of_errors(results: Path, percent: int) -> Amounts:
    """Squared errors of all ensembles and users' models of one training set size.

    Raises
    ------
    HessbenchError
        There are none, or a table is broken.
    """
    found = folders_of(results, ERRORS)
    parts = [part for part in found if part.rpartition("-")[2] == str(percent)]
    if not parts:
        raise HessbenchError(f"{results / ERRORS.name} holds no errors of models of {percent} % of the data.")
    rows = pd.concat([read_table(found[part], ERRORS, part=part) for part in parts], ignore_index=True)
    units = rows["quantity"].map(UNITS)
    rows["value"] = rows["set"] + " " + rows["quantity"] + " RMSE (" + units + ")"
    return Amounts(rows.rename(columns={"squared": "amount"})[COLUMNS], 0.5)


def percents(results: Path) -> set[int]:
    """Training set sizes of which a run has errors."""
    ends = (part.rpartition("-")[2] for part in folders_of(results, ERRORS))
    return {int(end) for end in ends if end.isdecimal()}


def _of_barriers(results: Path, models: Path, percent: int) -> list[Amounts]:
    rows = read_table(results, SUMMARY)
    rows = rows[(rows["status"] == "converged") & (rows["loss"] != REFERENCE)].dropna(
        subset=["barrier", "barrier_reference"]
    )
    amount = (rows["barrier"] - rows["barrier_reference"]) ** 2
    return [_of_cases(rows, percent, "barrier RMSE (kcal/mol)", amount, power=0.5)]


def _of_stability(results: Path, models: Path, percent: int) -> list[Amounts]:
    rows = read_table(results, STABILITY).rename(columns={"molecule": "reaction", "replica": "structure"})
    rows = rows[rows["loss"] != REFERENCE]
    name = "temperature at which a molecule breaks (K)"
    kelvin = rows["temperature_k"].fillna(0.0)  # a failed optimization counts as 0, as in the paper
    return [_of_cases(rows, percent, name, kelvin, larger_is_better=True)]


def _of_curvature(results: Path, models: Path, percent: int) -> list[Amounts]:
    rows = read_table(results, CURVATURE)
    found = []
    for metric in METRICS:
        if not metric.name.endswith("_mae"):
            continue
        for test_set, part in rows.groupby("set", sort=False):
            counts = metric.bottom(part)
            part, counts = part[counts > 0], counts[counts > 0]
            name = f"{test_set} {metric.label} ({metric.unit})"
            found.append(_of_cases(part, percent, name, metric.top(part), counts=counts))
    return found


def _of_time(results: Path, models: Path, percent: int) -> list[Amounts]:
    frames = []
    for path in sorted(models.glob(f"{percent}/*/{TRAINING}")):
        with reading(path, "does not say how long its models were trained", "train again"):
            content = json.loads(path.read_text(encoding="utf-8"))
            seconds = {int(seed): float(item["training_seconds"]) for seed, item in content["seeds"].items()}
            label = str(content["label"])
        frames.append(pd.DataFrame({"loss": label, "seed": list(seconds), "seconds": list(seconds.values())}))
    if not frames:
        raise HessbenchError(f"{models} holds no trained models of {percent} % of the data.")
    rows = pd.concat(frames, ignore_index=True).assign(reaction="training")
    return [_of_cases(rows, percent, "seconds of training a model", rows["seconds"], decides=False)]


MORE: dict[str, Callable[[Path, Path, int], list[Amounts]]] = {
    "barriers": _of_barriers,
    "stability": _of_stability,
    "curvature": _of_curvature,
    "time": _of_time,
}
"""What else can be compared, by name: takes the folders of results and models, and the training set size."""


def _of_cases(
    rows: pd.DataFrame,
    percent: int,
    name: str,
    amount: "pd.Series[float]",
    *,
    counts: "pd.Series[int] | None" = None,
    power: float = 1.0,
    larger_is_better: bool = False,
    decides: bool = True,
) -> Amounts:
    frame = pd.DataFrame(
        {
            "loss": rows["loss"],
            "percent": percent,
            "value": name,
            "seed": rows["seed"],
            "reaction": rows["reaction"],
            "structure": rows.get("structure", 0),
            "amount": amount.astype(float),
            "count": np.ones(len(rows)) if counts is None else counts.astype(float),
        }
    )
    return Amounts(frame[COLUMNS], power, larger_is_better, decides)
