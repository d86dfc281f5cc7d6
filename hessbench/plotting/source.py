"""What a figure is drawn from, and whose identity therefore stands under it."""

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from hessbench.results.published import PUBLISHED, Published, read_published
from hessbench.results.store.runinfo import RunInfo, read_run_info, training_percents
from hessbench.results.store.tables import (
    ERRORS,
    LABELS,
    PAPER_TRAININGS,
    Identity,
    ResultsError,
    read_identity,
    read_table,
)
from hessbench.results.stored import NAME_OF_SET, left_the_profile

if TYPE_CHECKING:
    from hessbench.potential.diagram import AtomicNetworks

PUBLISHED_PERCENT = 80
"""Share of the data that the models of Tables 2 - 4 were trained on."""


class Source:
    """Stored results of a run; remembers which were read, so that their identity can be shown.

    Parameters
    ----------
    root
        Folder that holds results/ and models/.
    published
        The paper's numbers.
    """

    def __init__(self, root: Path = Path(), published: Path = PUBLISHED) -> None:
        self.results = root / "results"
        self.models = root / "models"
        self.identities: dict[Path, Identity] = {}
        self._published = published

    @cached_property
    def published(self) -> Published:
        """The paper's numbers."""
        return read_published(self._published)

    def table(self, name: str, columns: Iterable[str] | None = None) -> pd.DataFrame:
        """Read columns of results/<name>.parquet; see `read_table`."""
        path = self.path(name)
        frame = read_table(path, columns)
        self._note(path)
        return frame

    @cached_property
    def run(self) -> RunInfo:
        """What the results were made with."""
        return read_run_info(self.results)

    def _belongs(self, identity: Identity) -> bool:
        return identity.profile == self.run.profile

    def _note(self, path: Path) -> None:
        """Remember whose results were read; those that an earlier run of another profile left are refused."""
        identity = read_identity(path)
        if not self._belongs(identity):
            raise ResultsError(
                path,
                f"was left by profile {identity.profile}, the run is of profile {self.run.profile}; "
                "`dvc repro` computes it anew.",
            )
        self.identities[path] = identity

    def path(self, name: str) -> Path:
        """File of a table."""
        return self.results / f"{name}.parquet"

    def extra(self, name: str) -> dict[str, Any]:
        """What a table's writer noted for its drawing."""
        return dict(read_identity(self.path(name)).extra)

    def rows(self, table: str, frame: pd.DataFrame, /, **wanted: object) -> pd.DataFrame:
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

    def rmse(self, *, largest: bool = False) -> pd.DataFrame:
        """RMSE of every model (eq. 3-5 of the paper) from the errors tables.

        Parameters
        ----------
        largest
            Only the largest training set size. The losses of the paper must be complete in any case: a size
            that one of them has, all have.

        Returns
        -------
        DataFrame
            Columns training, fraction, set, quantity, seed, rmse, structures.

        Raises
        ------
        ResultsError
            No errors tables, a missing one, or a broken one.
        """
        folder = self.results / ERRORS
        percents = training_percents(self.results)
        found = [
            path
            for path in sorted(folder.glob("*-*.parquet"))
            if self._belongs(read_identity(path)) and not left_the_profile(path, percents)
        ]
        suffixes = {path: path.stem.rsplit("-", 1)[1] for path in found}
        sizes = {path: int(suffix) for path, suffix in suffixes.items() if suffix.isdecimal()}
        wanted = set(sizes.values()) or {PUBLISHED_PERCENT}
        if largest:
            wanted = {max(wanted)}
        losses = {loss for loss, label in LABELS.items() if label in PAPER_TRAININGS}
        paths = {folder / f"{loss}-{size}.parquet" for loss in losses for size in wanted}
        paths |= {path for path, size in sizes.items() if size in wanted}
        parts = []
        columns = ["training", "fraction", "seed", "set", "quantity", "squared", "count"]
        for path in sorted(paths):
            frame = read_table(path, columns)
            self._note(path)
            sums = frame.groupby(["training", "fraction", "set", "quantity", "seed"], as_index=False).agg(
                squared=("squared", "sum"), count=("count", "sum"), structures=("count", "size")
            )
            parts.append(sums)
        sums = pd.concat(parts, ignore_index=True)
        sums["rmse"] = np.sqrt(sums["squared"] / sums["count"])
        return sums.drop(columns=["squared", "count"])

    def networks(self) -> "AtomicNetworks":
        """Describe the trained model, from the header of the first model file (no weights are read).

        Raises
        ------
        ResultsError
            There is no model file.
        DataError
            The file does not describe a model.
        """
        from hessbench.potential.registry import diagram  # torch only if asked for

        paths = sorted(self.models.glob("*/*/*.safetensors"))
        if not paths:
            raise ResultsError(self.models, "holds no model files; `dvc repro` trains them.")
        content = diagram(paths[0])
        data = "; ".join(f"{name}: {identity}" for name, identity in self.run.data.items())
        self.identities[paths[0]] = Identity(self.run.profile, data, level="")
        return content

    @property
    def footer(self) -> str:
        """Profile, data, models and notes of all that was read; no date and no commit."""
        identities = list(self.identities.values())
        profiles = ", ".join(dict.fromkeys(identity.profile for identity in identities))
        parts = (part.strip() for identity in identities for part in identity.data.split(";"))
        data = "; ".join(dict.fromkeys(NAME_OF_SET.sub("", part) for part in parts))
        counts = sorted({identity.models for identity in identities if identity.models is not None})
        notes = "; ".join(dict.fromkeys(str(i.extra["note"]) for i in identities if i.extra.get("note")))
        *some, last = [str(count) for count in counts] or [""]
        models = f" · models per training: {', '.join(some)}{' or ' if some else ''}{last}" if counts else ""
        return f"hessbench {identities[0].hessbench} · profile {profiles} · data: {data}{models}" + (
            f" · {notes}" if notes else ""
        )
