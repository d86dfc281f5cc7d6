"""Results of a run: the one way in which figures, tables, verdicts and the report read them.

No torch here: all of these are made from results in seconds.
"""

import copy
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from hessbench.config.inputs import Inputs, read_inputs
from hessbench.config.loss_labels import read_label
from hessbench.errors import HessbenchError
from hessbench.results.published import Published, read_published
from hessbench.results.run import Run, read_run
from hessbench.results.store.provenance import Provenance
from hessbench.results.store.tables import (
    ProvenanceError,
    ResultsError,
    Table,
    folders_of,
    read_provenance,
    read_table,
)

TRAINING = "training.json"
"""File of a trained ensemble that says what its models are made from."""


class MissingResultsError(HessbenchError):
    """Results that this run does not have; a claim that needs them is undecided."""


class Results:
    """Results of a run, each table read when it is needed; the files must not change meanwhile.

    What was made from other data, settings or code than results/run.json says counts as missing: an earlier
    run left it.

    Attributes
    ----------
    folder, models
        Folder of the results, and that of the trained ensembles beside it.
    run
        What the run is made from.
    read
        Tables read so far, in that order, each with its provenance: what a footer speaks of.

    Raises
    ------
    HessbenchError
        There is no results/run.json.
    """

    def __init__(self, folder: Path = Path("results")) -> None:
        self.folder = folder
        self.models = folder.parent / "models"
        self.run: Run = read_run(folder)
        self.read: dict[Path, Provenance] = {}
        self._known: dict[Path, Provenance] = {}

    def within(self, place: str) -> "Results":
        """Results of the same run in a folder below this one, "robustness/unscaled"; read as these are."""
        other = copy.copy(self)
        other.folder = self.folder / place
        return other

    @cached_property
    def published(self) -> Published:
        """The paper's numbers, to show beside the results."""
        return read_published()

    def path(self, table: Table, part: str | None = None) -> Path:
        """File of a table; a part may be of a user's model."""
        return table.path(self._folder(table, part), part)

    def table(
        self, table: Table, columns: Iterable[str] | None = None, part: str | None = None
    ) -> pd.DataFrame:
        """Read a table, or some of its columns.

        Raises
        ------
        MissingResultsError
            This run has no such table.
        ResultsError
            The file cannot be used.
        """
        provenance = self.provenance(table, part)
        frame = read_table(self._folder(table, part), table, columns, part)
        self.read[self.path(table, part)] = provenance
        return frame

    def provenance(self, table: Table, part: str | None = None) -> Provenance:
        """Provenance of a table of this run.

        Raises
        ------
        MissingResultsError
            This run has no such table.
        ResultsError
            The file cannot be used.
        """
        path = self.path(table, part)
        if not path.exists():
            raise MissingResultsError(
                f"{path} does not exist: profile {self.run.profile} has no such results yet."
            )
        difference = self.difference(path)
        if difference:
            raise MissingResultsError(f"{path} {difference}; `dvc repro` makes it anew.")
        return self._known[path]

    def difference(self, path: Path) -> str:
        """Why a file is no table of this run, as a part of a sentence; empty if it is one."""
        if path not in self._known:  # reading it takes reading the whole file, for its checksum
            try:
                self._known[path] = read_provenance(path)
            except ProvenanceError:
                return "does not say what it was made from"
        return self.run.difference(self._known[path].inputs)

    def parts(self, table: Table) -> list[str]:
        """Names of the parts of a table that belong to this run, in alphabetical order."""
        found = folders_of(self.folder, table)
        return [part for part, folder in found.items() if not self.difference(table.path(folder, part))]

    def rows(self, table: Table, frame: pd.DataFrame, /, **wanted: object) -> pd.DataFrame:
        """Rows of a table that have these values.

        Raises
        ------
        ResultsError
            There is none; the table and the first column that does not match are named.
        """
        for column, value in wanted.items():
            frame = frame[frame[column] == value]
            if frame.empty:
                raise ResultsError(self.path(table), f"no rows with {value!r}; run `dvc repro` anew.", column)
        return frame

    def ensembles(self) -> dict[tuple[str, int], Path]:
        """Trained ensembles of this run: (loss, percent of the data) to folder, in alphabetical order."""
        found = {}
        for path in sorted(self.models.glob(f"*/*/{TRAINING}")):
            loss, percent = path.parent.name, path.parent.parent.name
            inputs = read_inputs(path)
            if percent.isdecimal() and inputs is not None and not self.run.difference(inputs):
                found[loss, int(percent)] = path.parent
        return found

    def label(self, folder: Path) -> str:
        """What the loss of a trained ensemble is called in tables and figures."""
        return read_label(folder / TRAINING)

    def model_header(self) -> dict[str, Any]:
        """Header of the file of a model trained on most data, which describes it (no weights are read).

        Raises
        ------
        ResultsError
            There is no model file, or none that describes its model.
        """
        from hessbench.potential.files import read_header

        largest_first = sorted(self.ensembles().items(), key=lambda item: (-item[0][1], item[0][0]))
        paths = [path for _, folder in largest_first for path in sorted(folder.glob("*.safetensors"))]
        if not paths:
            raise ResultsError(self.models, "holds no models of this run; `dvc repro` trains them.")
        content = read_header(paths[0])
        self.read[paths[0]] = Provenance(Inputs(data=self.run.sets), versions=self.run.versions)
        return content

    def _folder(self, table: Table, part: str | None) -> Path:
        """Folder of the results that has a table or part, or would have it."""
        return self.folder if part is None else folders_of(self.folder, table).get(part, self.folder)

    @property
    def data(self) -> str:
        """Data sets of the run, and what else the tables read so far are of, in one line."""
        sets = self.run.sets
        others = [item for table in self.read.values() for item in table.inputs.data.values()]
        beside = dict.fromkeys(item for item in others if item not in sets.values())
        return "; ".join([*(f"{name}: {item}" for name, item in sets.items()), *beside])

    @property
    def footer(self) -> str:
        """One line for the foot of a table: profile and `data`."""
        return f"Profile {self.run.profile}. Data: {self.data}."
