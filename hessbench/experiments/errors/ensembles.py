"""The errors tables of a run: which ensembles there are, and how large the errors of each are."""

import re
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import pandas as pd

from hessbench.config.loss_labels import LABELS, PAPER_LOSSES
from hessbench.errors import HessbenchError
from hessbench.experiments.errors.run.rmse import KEYS, summarize
from hessbench.experiments.errors.run.tables import ERRORS
from hessbench.experiments.errors.statistics import EnsembleErrors, ensemble_errors
from hessbench.results.reader import MissingResultsError, Results
from hessbench.results.store.tables import REMEDY, ResultsError

PUBLISHED_PERCENT = 80
"""Share of the data that the models of Tables 2 - 4 were trained on."""


@dataclass(frozen=True)
class EnsembleResults:
    """Errors of one ensemble on all test sets.

    Attributes
    ----------
    label
        Its name in tables, "E-F-H".
    percent
        Share of the data that it was trained on.
    errors
        By test set and quantity; a user's model may have no Hessians.
    """

    label: str
    percent: int
    errors: dict[tuple[str, str], EnsembleErrors]


_KNOWN: WeakKeyDictionary[Results, dict[str, EnsembleResults]] = WeakKeyDictionary()
"""What was read, as long as somebody works with the results: an errors table may hold millions of rows."""


def ensembles(results: Results) -> dict[tuple[str, int], str]:
    """Ensembles whose errors this run has: (loss or name of a user's model, percent) to part of `ERRORS`.

    Losses come in the order of the paper, users' models after them by name, each with ascending percents.
    """
    found = {}
    for part in results.parts(ERRORS):
        match = re.fullmatch(r"(.+)-(\d+)", part)
        if match:
            found[match[1], int(match[2])] = part
    order = [*LABELS, *sorted(name for name, _ in found if name not in LABELS)]
    return dict(sorted(found.items(), key=lambda item: (order.index(item[0][0]), item[0][1])))


def main_percent(results: Results) -> int:
    """Percent of the data that Tables 2-4 show: the largest that any of the paper's losses is trained on.

    Raises
    ------
    MissingResultsError
        There are no errors of the paper's losses.
    """
    percents = [percent for loss, percent in ensembles(results) if loss in PAPER_LOSSES]
    if not percents:
        for path in sorted((results.folder / ERRORS.name).glob("*.parquet")):
            if difference := results.difference(path):
                raise MissingResultsError(f"{path} {difference}; `dvc repro` makes it anew.")
        raise MissingResultsError(
            f"{results.folder / ERRORS.name} holds no errors of profile {results.run.profile} for the losses "
            f"{', '.join(PAPER_LOSSES)}; `dvc repro` computes them."
        )
    return max(percents)


def ensemble_results(results: Results, part: str) -> EnsembleResults:
    """Errors of the ensemble in one part of `ERRORS`, "efh-80", on all test sets.

    Raises
    ------
    MissingResultsError
        There is no such file in this run.
    HessbenchError
        The file cannot be used.
    """
    known = _KNOWN.setdefault(results, {})
    if part not in known:
        path = results.path(ERRORS, part)
        rows = results.table(ERRORS, part=part)
        for column in ("loss", "percent"):
            found = rows[column].unique()
            if len(found) > 1:
                names = ", ".join(map(str, found))
                raise ResultsError(path, f"one file holds one ensemble, found {names}. {REMEDY}", column)
        known[part] = EnsembleResults(
            str(rows["loss"].iloc[0]),
            int(rows["percent"].iloc[0]),
            {
                (str(test_set), str(quantity)): ensemble_errors(group, f"{part} {test_set} {quantity}")
                for (test_set, quantity), group in rows.groupby(["set", "quantity"])
            },
        )
    return known[part]


def errors_of(results: Results, loss: str, percent: int, test_set: str, quantity: str) -> EnsembleErrors:
    """Errors of one ensemble on one test set, e.g. ``errors_of(results, "efh", 80, "irc", "force")``.

    Raises
    ------
    MissingResultsError
        There is no such file in this run.
    HessbenchError
        The file cannot be used, or holds no such test set or quantity.
    """
    part = f"{loss}-{percent}"
    found = ensemble_results(results, part).errors
    if (test_set, quantity) not in found:
        path = results.path(ERRORS, part)
        raise HessbenchError(f"{path}: no row with set {test_set} and quantity {quantity}. {REMEDY}")
    return found[test_set, quantity]


def rmse_of_models(results: Results, *, largest: bool = False) -> pd.DataFrame:
    """RMSE of every model of every ensemble, to be drawn.

    Parameters
    ----------
    largest
        Only the largest training set size. The losses of the paper must be complete in any case: a size
        that one of them has, all have.

    Returns
    -------
    DataFrame
        Columns loss, percent, seed, set, quantity, rmse, mae; see `summarize`.

    Raises
    ------
    MissingResultsError
        There are no errors tables, or one is missing.
    ResultsError
        One is broken.
    """
    found = ensembles(results)
    wanted = {percent for _, percent in found} or {PUBLISHED_PERCENT}
    if largest:
        wanted = {max(wanted)}
    parts = {f"{loss}-{percent}" for loss in PAPER_LOSSES for percent in wanted}
    parts |= {part for (_, percent), part in found.items() if percent in wanted}
    columns = [*KEYS, "squared", "absolute", "count"]
    return pd.concat(
        [summarize(results.table(ERRORS, columns, part)) for part in sorted(parts)], ignore_index=True
    )
