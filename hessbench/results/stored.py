"""Stored results of one run: what lies in the results directory and belongs to the run of results/run.json.

No torch here: tables, figures and verdicts are made from stored results in seconds.
"""

import re
from pathlib import Path

import pandas as pd

from hessbench.errors import HessbenchError
from hessbench.results.statistics import EnsembleErrors, ensemble_errors
from hessbench.results.store.runinfo import RunInfo, read_run_info, training_percents
from hessbench.results.store.tables import (
    ERRORS,
    LABELS,
    REMEDY,
    SETS,
    read_errors,
    read_identity,
    read_table,
)

PAPER_LOSSES = ("e", "ef", "efh")
NAME_OF_SET = re.compile(rf"^({'|'.join(SETS)}): ")
"""Stands before a data set's identity where there are several."""


def left_the_profile(errors: Path, percents: set[int]) -> bool:
    """Whether an errors table is of an ensemble of a training set size (percent of the data) not among these.

    Potentials that users bring stand beside any size and never leave.
    """
    loss, _, percent = errors.stem.rpartition("-")
    trained_here = errors.parent.name == ERRORS and loss in LABELS and percent.isdecimal()
    return trained_here and int(percent) not in percents


class MissingResultsError(HessbenchError):
    """Results that this run does not have; a claim that needs them is undecided."""


class StoredResults:
    """Results of a run; each file is read once, when needed.

    What an earlier run left over counts as missing: files of another profile, and of training set sizes
    that the profile no longer has.

    Attributes
    ----------
    folder
        The results directory.
    run
        What the results were made with.

    Raises
    ------
    HessbenchError
        There is no results/run.json.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.run: RunInfo = read_run_info(folder)
        self._errors: dict[Path, pd.DataFrame] = {}
        self._beside: dict[str, None] = {}

    @property
    def data(self) -> str:
        """Identities of the run's data, and of what else the results read so far are of."""
        known = set(self.run.data.values())
        sets = [f"{name}: {identity}" for name, identity in self.run.data.items()]
        return "; ".join([*sets, *(identity for identity in self._beside if identity not in known)])

    @property
    def footer(self) -> str:
        """One line for the foot of a table: profile and `data`."""
        return f"Profile {self.run.profile}. Data: {self.data}."

    def table(self, name: str) -> pd.DataFrame:
        """Read results/<name>.parquet, one of `hessbench.results.store.tables.TABLES`.

        Raises
        ------
        MissingResultsError
            There is no such file in this run.
        ResultsError
            The file cannot be used.
        """
        return read_table(self._of_this_run(self.folder / f"{name}.parquet"))

    def ensembles(self) -> dict[tuple[str, int], Path]:
        """Errors tables of this run: (loss or name of a model brought, percent of the data) to file."""
        found = {}
        percents = training_percents(self.folder)
        for path in sorted((self.folder / ERRORS).glob("*.parquet")):
            match = re.fullmatch(r"(.+)-(\d+)", path.stem)
            if match and self._belongs(path) and not left_the_profile(path, percents):
                found[match[1], int(match[2])] = path
        order = [*LABELS, *sorted(name for name, _ in found if name not in LABELS)]
        return dict(sorted(found.items(), key=lambda item: (order.index(item[0][0]), item[0][1])))

    @property
    def main_fraction(self) -> int:
        """Percent of the data that Tables 2-4 show: the largest that any of the paper's losses is trained on.

        Raises
        ------
        MissingResultsError
            There are no errors of the paper's losses.
        """
        percents = [percent for loss, percent in self.ensembles() if loss in PAPER_LOSSES]
        if not percents:
            raise MissingResultsError(
                f"{self.folder / ERRORS} holds no errors of profile {self.run.profile} for the losses "
                f"{', '.join(PAPER_LOSSES)}; `dvc repro` computes them."
            )
        return max(percents)

    def errors(self, loss: str, percent: int, test_set: str, quantity: str) -> EnsembleErrors:
        """Errors of one ensemble, e.g. ``errors("efh", 80, "irc", "force")``.

        Raises
        ------
        MissingResultsError
            There is no such file in this run.
        HessbenchError
            The file cannot be used, or holds no such test set or quantity.
        """
        path = self._of_this_run(self.folder / ERRORS / f"{loss}-{percent}.parquet")
        rows = self.error_rows(path)
        rows = rows[(rows["set"] == test_set) & (rows["quantity"] == quantity)]
        if rows.empty:
            raise HessbenchError(f"{path}: no row with set {test_set} and quantity {quantity}. {REMEDY}")
        return ensemble_errors(rows, name=f"{path.stem} {test_set} {quantity}")

    def error_rows(self, path: Path) -> pd.DataFrame:
        """Rows of one errors table, which must be those of one ensemble."""
        if path not in self._errors:
            frame = read_errors(path)
            for column in ("training", "fraction"):
                found = frame[column].unique()
                if len(found) > 1:
                    raise HessbenchError(
                        f"{path}, column {column}: one file holds one ensemble, found "
                        f"{', '.join(map(str, found))}. {REMEDY}"
                    )
            self._errors[path] = frame
        return self._errors[path]

    def _of_this_run(self, path: Path) -> Path:
        if not path.exists():
            raise MissingResultsError(
                f"{path} does not exist: profile {self.run.profile} has no such results yet."
            )
        if not self._belongs(path):
            raise MissingResultsError(
                f"{path} was left by profile {read_identity(path).profile}; "
                f"profile {self.run.profile} has no such results yet."
            )
        return path

    def _belongs(self, path: Path) -> bool:
        identity = read_identity(path)
        if identity.profile != self.run.profile:
            return False
        parts = (NAME_OF_SET.sub("", part.strip()) for part in identity.data.split(";"))
        self._beside |= dict.fromkeys(part for part in parts if part)
        return True
