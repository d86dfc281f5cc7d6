"""Scores of stored predictions: errors and curvature anew from the numbers, without the model's code."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import ValidationError

from hessbench import __version__
from hessbench.calculators.card import Card
from hessbench.config.base import Section
from hessbench.data.structures import Structures
from hessbench.errors import DataError
from hessbench.experiments.curvature.run.rows import references, rows_of
from hessbench.experiments.curvature.statistics import METRICS, mean_estimate
from hessbench.experiments.errors.run.predictions import (
    Predictions,
    predicted_seeds,
    read_failures,
    read_metadata,
    read_predictions,
    verified_checksum,
)
from hessbench.experiments.errors.run.scoring import TestSet, error_rows, structure_errors
from hessbench.experiments.errors.statistics import EnsembleErrors, ensemble_errors, estimate, rmse
from hessbench.results.statistics import Estimate
from hessbench.results.store.names import QUANTITIES
from hessbench.system.files import write_text
from hessbench.system.reading import reading

REMEDY = "`hessbench score` writes it anew"


class Number(Section):
    """A mean with its 95 % interval, which one reaction alone does not have."""

    value: float
    low: float | None
    high: float | None


class SetScore(Section):
    """Of one test set.

    `data` is its name, version, level and checksum, `level` its level of theory. `failed` counts structures
    without a prediction, which are in no number. `errors` are RMSEs by quantity in kcal/mol and Angstrom,
    `curvature` the metrics of `hessbench.experiments.curvature.statistics`.
    """

    data: str
    level: str
    structures: int
    failed: int
    errors: dict[str, Number]
    curvature: dict[str, Number]


class Score(Section):
    """What a file of predictions is worth: a row of the leaderboard."""

    name: str
    percent: int
    models: int
    level: str
    checksum: str
    hessbench: str
    card: Card | None
    sets: dict[str, SetScore]


def score_predictions(path: Path, sets: dict[str, TestSet], card: Card | None = None) -> Score:
    """Compare stored predictions with the test sets.

    Parameters
    ----------
    path
        What `hessbench evaluate` stored.
    sets
        Test sets by name; those of which the file holds no predictions are left out.
    card
        In place of the one in the file.

    Raises
    ------
    DataError
        The file is damaged, is not that of its checksum, or is of other data.
    """
    checksum, metadata = verified_checksum(path), read_metadata(path)
    seeds = predicted_seeds(path)
    with reading(path, "does not say what it holds", "run `hessbench evaluate`"):
        name, percent, level = str(metadata["label"]), int(metadata["percent"]), str(metadata["level"])
        data = {str(key): str(value) for key, value in metadata["data"].items()}
        stored = None if metadata["card"] is None else Card.model_validate(metadata["card"])
    found = {}
    for key, item in sets.items():
        if key not in data:
            continue
        if data[key] != item.data:
            raise DataError(path, f"its {key} predictions are of {data[key]}, here are {item.data}.")
        found[key] = _score_set(path, key, item, seeds)
    if not found:
        raise DataError(path, f"holds predictions of {', '.join(data)}, here are {', '.join(sets)}.")
    return Score(
        name=name,
        percent=percent,
        models=len(seeds),
        level=level,
        checksum=checksum,
        hessbench=__version__,
        card=card or stored,
        sets=found,
    )


def write_score(score: Score, folder: Path) -> Path:
    """Write a score as <name>-<percent>.json, the same again for the same predictions."""
    path = folder / f"{score.name}-{score.percent}.json"
    write_text(path, score.model_dump_json(indent=1) + "\n")
    return path


def read_scores(folder: Path) -> list[Score]:
    """Read all scores of a folder, by name.

    Raises
    ------
    DataError
        A file is damaged, or no score.
    """
    scores = []
    for path in sorted(folder.glob("*.json")):
        with reading(path, "is no score", REMEDY):
            try:
                scores.append(Score.model_validate_json(path.read_bytes()))
            except ValidationError as error:
                first = error.errors()[0]
                place = ".".join(map(str, first["loc"]))
                raise DataError(path, f"{place}: {first['msg']}; {REMEDY}.") from None
    return scores


def _score_set(path: Path, name: str, item: TestSet, seeds: list[int]) -> SetScore:
    told = {(reaction, index) for reaction, index, _ in read_failures(path, name)}
    if len(told) == len(item.structures):
        return _score_of(item, item.structures.select(np.empty(0, dtype=np.int64)), {}, [])
    predicted = {seed: read_predictions(path, name, seed) for seed in seeds}
    part = _structures_of(path, name, item.structures, next(iter(predicted.values())))
    errors, curvature = [], []
    reference = list(references(part)) if part.hessians is not None else []
    for seed, values in predicted.items():
        _require_finite(path, name, values)
        hessians = None
        if values.hessians is not None:
            hessians = np.concatenate([hessian.ravel() for hessian in values.hessians])
            if reference:
                curvature += [{"seed": seed, **row} for row in rows_of(path, name, seed, part, reference)]
        sums = structure_errors(part, values.energies, values.forces, hessians)
        errors.append(error_rows(seed, name, part, sums))
    rows = pd.concat(errors, ignore_index=True)
    of_quantity = {
        quantity: _rmse(ensemble_errors(rows[rows["quantity"] == quantity], f"{name} {quantity}"))
        for quantity in QUANTITIES
        if (rows["quantity"] == quantity).any()
    }
    return _score_of(item, part, of_quantity, curvature)


def _score_of(
    item: TestSet, part: Structures, errors: dict[str, Number], curvature: list[dict[str, Any]]
) -> SetScore:
    table = pd.DataFrame(curvature)
    means = {metric.name: mean_estimate(table, metric) for metric in METRICS} if curvature else {}
    return SetScore(
        data=item.data,
        level=item.level,
        structures=len(part),
        failed=len(item.structures) - len(part),
        errors=errors,
        curvature={name: _number(found) for name, found in means.items() if found is not None},
    )


def _structures_of(path: Path, name: str, structures: Structures, predicted: Predictions) -> Structures:
    """Structures that were predicted, in the order of the predictions.

    Raises
    ------
    DataError
        One is predicted twice, or is none of the set.
    """
    names = np.array(structures.reaction_names, dtype=object)[structures.reactions]
    places = {key: place for place, key in enumerate(_keys(names, structures.indices))}
    keys = list(_keys(predicted.reactions, predicted.structures))
    if len(set(keys)) < len(keys) or not set(keys) <= set(places):
        raise DataError(path, f"its {name} predictions are not one each of structures of the set.")
    return structures.select(np.array([places[key] for key in keys], dtype=np.int64))


def _keys(reactions: Iterable[str], structures: np.ndarray) -> Iterable[tuple[str, int]]:
    return zip(map(str, reactions), structures.tolist(), strict=True)


def _require_finite(path: Path, name: str, values: Predictions) -> None:
    arrays: list[np.ndarray] = [values.energies, values.forces, *(values.hessians or [])]
    if not all(np.isfinite(array).all() for array in arrays):
        raise DataError(path, f"its {name} predictions hold NaN or infinity; run `hessbench evaluate`.")


def _rmse(errors: EnsembleErrors) -> Number:
    if len(errors.reactions) < 2:
        return Number(value=float(rmse(errors).mean()), low=None, high=None)
    return _number(estimate(lambda value: value, errors))


def _number(found: Estimate) -> Number:
    """Infinite bounds, which JSON does not have, are none."""

    def bound(value: float) -> float | None:
        return float(value) if np.isfinite(value) else None

    return Number(value=float(found.value), low=bound(found.low), high=bound(found.high))
