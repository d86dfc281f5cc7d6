"""Results tables: what evaluations write, and all that figures, tables, verdicts and the report read.

Every table is one parquet file with the identity of its run in the file's metadata. A failure is a row with a
`reason` whose numbers are null; NaN and infinity never stand in a table, neither written nor read.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from hessbench import __version__
from hessbench.errors import HessbenchError
from hessbench.system.files import replacing

METADATA_KEY = b"hessbench"
"""Key of the file metadata under which the identity stands, as JSON."""
QUANTITIES = ("energy", "force", "hessian")
UNITS = {"energy": "kcal/mol", "force": "kcal/mol/Angstrom", "hessian": "kcal/mol/Angstrom^2"}
SETS = ("rtp", "irc", "nms")
LABELS = {"e": "E", "ef": "E-F", "efh": "E-F-H", "efhvp": "E-F-HVP"}
"""Loss, as named in paths and settings, to its label in tables."""
PAPER_TRAININGS = ("E", "E-F", "E-F-H")
REFERENCE = "reference"
"""In the column `training`: the row is the level of theory itself, no model."""
ERRORS = "errors"
"""Folder of the errors tables inside the results directory."""

TEXT, INTEGER, NUMBER, FLAG = "text", "integer", "number", "flag"

TABLES: dict[str, dict[str, str]] = {
    # one row per structure, quantity and model: sums of squared and absolute errors over `count` elements
    "errors": {
        "training": TEXT, "fraction": INTEGER, "seed": INTEGER, "set": TEXT, "reaction": TEXT,
        "structure": INTEGER, "quantity": TEXT, "squared": NUMBER, "absolute": NUMBER, "count": INTEGER,
    },
    "single_ts": {
        "training": TEXT, "model": INTEGER, "structure": INTEGER, "path_coordinate": NUMBER, "energy": NUMBER,
    },
    "single_ts_modes": {
        "training": TEXT, "model": INTEGER, "lowest_frequency_cm1": NUMBER, "negative_modes": INTEGER,
        "ts_is_maximum": FLAG,
    },
    "stability": {
        "training": TEXT, "seed": INTEGER, "molecule": TEXT, "status": TEXT, "reason": TEXT, "bond": TEXT,
        "temperature_k": NUMBER, "time_fs": NUMBER, "cap_k": NUMBER,
    },
    "stability_trajectory": {
        "molecule": TEXT, "training": TEXT, "seed": INTEGER, "frame": INTEGER, "time_fs": NUMBER,
        "temperature_k": NUMBER, "atom": INTEGER, "number": INTEGER, "x": NUMBER, "y": NUMBER, "z": NUMBER,
    },
    "neb_paths": {
        "reaction": TEXT, "kind": TEXT, "training": TEXT, "seed": INTEGER, "image": INTEGER,
        "path_coordinate": NUMBER, "energy": NUMBER,
    },
    "neb_summary": {
        "reaction": TEXT, "kind": TEXT, "training": TEXT, "seed": INTEGER, "status": TEXT, "reason": TEXT,
        "iterations": INTEGER, "max_force_ev_a": NUMBER, "barrier": NUMBER, "barrier_reference": NUMBER,
        "rmsd_ts": NUMBER,
    },
    "neb_geometry": {
        "reaction": TEXT, "training": TEXT, "seed": INTEGER, "image": INTEGER, "atom": INTEGER,
        "number": INTEGER, "x": NUMBER, "y": NUMBER, "z": NUMBER,
    },
    "spectra": {
        "reaction": TEXT, "training": TEXT, "seed": INTEGER, "image": INTEGER, "path_coordinate": NUMBER,
        "mode": INTEGER, "frequency_cm1": NUMBER, "reference_frequency_cm1": NUMBER, "overlap": NUMBER,
    },
    "spectra_cost": {"source": TEXT, "images": INTEGER, "cpu_s": NUMBER},
    "epoch_cost": {
        "training": TEXT, "engine": TEXT, "structures": INTEGER, "percent": INTEGER, "repeat": INTEGER,
        "seconds": NUMBER,
    },
    "correlation": {
        "training": TEXT, "set": TEXT, "quantity": TEXT, "reference_bin": NUMBER, "predicted_bin": NUMBER,
        "count": INTEGER,
    },
    "composition": {
        "set": TEXT, "reaction": TEXT, "structure": INTEGER, "kind": TEXT, "name": TEXT, "count": INTEGER,
    },
    "surface": {"x": NUMBER, "y": NUMBER, "energy": NUMBER},
}  # fmt: skip
"""Columns of every table and what they hold. Units are kcal/mol, Angstrom, K, fs, cm-1 and s unless the name
says another; path_coordinate is in amu^0.5 Angstrom for `single_ts` (0 at the TS), in Angstrom for NEB."""

NULLABLE = {
    "stability": {"bond"},
    "spectra": {"reference_frequency_cm1", "overlap"},
}
"""Columns whose value may be absent without a failure: nothing broke, or no mode matches."""


class ResultsError(HessbenchError):
    """A results table is missing or broken.

    Parameters
    ----------
    path
        The table.
    problem
        What is wrong, and the remedy.
    column
        The offending column, if one is.
    """

    def __init__(self, path: object, problem: str, column: str | None = None) -> None:
        self.path = Path(str(path))
        self.problem = problem
        self.column = column
        place = f"{path}, column {column}" if column is not None else f"{path}"
        super().__init__(f"{place}: {problem}")

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        """Let the error travel between processes."""
        return type(self), (self.path, self.problem, self.column)


@dataclass(frozen=True)
class Identity:
    """Where a table comes from.

    Attributes
    ----------
    profile
        Name of the active profile.
    data
        Identity string of the data, "name version level checksum".
    level
        Level of theory of the labels.
    models
        Number of models per training (seeds or ensemble members); None where no model takes part.
    hardware
        One line on the machine.
    seconds
        Wall time of the computation in s, if measured.
    hessbench
        Version of this package.
    extra
        Anything the drawing of this table needs besides (bin widths, a note on shortened settings).
    """

    profile: str
    data: str
    level: str
    models: int | None = None
    hardware: str = ""
    seconds: float | None = None
    hessbench: str = __version__
    extra: Mapping[str, Any] = field(default_factory=dict)


def contract(path: Path) -> str | None:
    """Name of the table's contract in `TABLES`, None for a table outside it.

    The name is that of the file; results/errors/<loss>-<percent>.parquet are all `errors`.
    """
    name = ERRORS if path.parent.name == ERRORS else path.stem
    return name if name in TABLES else None


def write_table(path: Path, frame: pd.DataFrame, identity: Identity) -> None:
    """Write a results table with its identity; the file appears whole or not at all.

    Parameters
    ----------
    path
        The parquet file; its folder is made.
    frame
        Rows; a failed one has a `reason`, and null (None or NaN) in place of the numbers it could not get.
    identity
        Where the table comes from.

    Raises
    ------
    ResultsError
        A column of the contract is missing or of another kind, a number is infinite, or a number is null in a
        row without reason.
    """
    path = Path(path)
    name = contract(path)
    _check(path, frame, list(TABLES[name]) if name else list(frame.columns))
    table = pa.Table.from_pandas(frame, preserve_index=False)
    metadata = dict(table.schema.metadata or {})
    metadata[METADATA_KEY] = json.dumps(asdict(identity), sort_keys=True).encode()
    with replacing(path) as temporary:
        pq.write_table(table.replace_schema_metadata(metadata), temporary)


def read_table(path: Path, columns: Iterable[str] | None = None) -> pd.DataFrame:
    """Read a results table and make sure that it can be relied upon.

    Parameters
    ----------
    path
        The parquet file.
    columns
        Columns needed; the others are not read. None reads all that the contract names.

    Returns
    -------
    DataFrame
        The columns asked for, in that order; null numbers (NaN in pandas) only in rows with a `reason`, or
        where the contract says that a value may not apply.

    Raises
    ------
    ResultsError
        No such file, no parquet, no rows, a column is missing or of another kind, a number is NaN, infinite
        or null.
    """
    path = Path(path)
    name = contract(path)
    file = _open(path)
    present = file.schema_arrow.names
    columns = list(columns if columns is not None else TABLES[name] if name else present)
    for column in columns:
        if column not in present:
            raise ResultsError(path, f"missing; the file has {', '.join(present)}. {REMEDY}", column)
    wanted = [*columns, *({"reason"} & set(present) - set(columns))]
    table = file.read(columns=wanted)
    for column in wanted:
        if pa.types.is_floating(table.schema.field(column).type):
            values = table[column].drop_null().to_numpy()
            if not np.isfinite(values).all():
                raise ResultsError(path, f"holds NaN or infinity. {REMEDY}", column)
    frame = table.to_pandas()
    if frame.empty:
        raise ResultsError(path, f"holds no rows. {REMEDY}")
    _check(path, frame, wanted)
    return frame[columns]


def read_errors(path: Path) -> pd.DataFrame:
    """Read one errors table, e.g. results/errors/efh-80.parquet.

    Raises
    ------
    ResultsError
        As `read_table`; also for negative sums, empty counts and a row that stands twice.
    """
    frame = read_table(path, TABLES[ERRORS])
    for name, lowest in (("squared", 0), ("absolute", 0), ("count", 1)):
        if (frame[name] < lowest).any():
            raise ResultsError(path, f"holds values below {lowest}. {REMEDY}", name)
    key = ["training", "fraction", "seed", "set", "reaction", "structure", "quantity"]
    twice = frame.duplicated(key)
    if twice.any():
        raise ResultsError(path, f"the row {frame.loc[twice, key].iloc[0].to_dict()} stands twice. {REMEDY}")
    return frame


def read_identity(path: Path) -> Identity:
    """Read where a table comes from.

    Raises
    ------
    ResultsError
        No such file, or it carries no identity.
    """
    metadata = _open(Path(path)).schema_arrow.metadata or {}
    try:
        return Identity(**json.loads(metadata[METADATA_KEY]))
    except (KeyError, TypeError, ValueError):
        raise ResultsError(path, f"carries no identity of its run. {REMEDY}") from None


REMEDY = "Remove the file and run `dvc repro` to compute it anew."


def _open(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except FileNotFoundError:
        raise ResultsError(path, "does not exist; `dvc repro` computes it.") from None
    except (pa.ArrowInvalid, OSError) as error:
        raise ResultsError(path, f"is no readable parquet file ({error}). {REMEDY}") from None


def _check(path: Path, frame: pd.DataFrame, columns: Iterable[str]) -> None:
    """Check kinds of columns and that every number is there, or its row says why not."""
    name = contract(path)
    kinds = TABLES[name] if name else {}
    if "reason" in frame:
        excused = frame["reason"].fillna("").astype(str).str.strip().ne("")
    else:
        excused = pd.Series(False, index=frame.index)
    for column in columns:
        if column not in frame:
            raise ResultsError(path, f"missing; the table has {', '.join(map(str, frame.columns))}.", column)
        values = frame[column]
        present = values.dropna()
        if isinstance(values.dtype, pd.CategoricalDtype):
            present = present.astype(values.cat.categories.dtype)
        kind = kinds.get(column, _kind_of(present))
        if len(present) and not _is_of_kind(present, kind):
            raise ResultsError(path, f"expected {kind}, found {values.dtype}.", column)
        if kind in (INTEGER, NUMBER) and np.isinf(present.to_numpy(dtype=float)).any():
            raise ResultsError(path, f"holds infinity. {REMEDY}", column)
        if column == "reason" or column in NULLABLE.get(name or "", set()):
            continue
        absent = (values.isna() & ~excused if kind in (INTEGER, NUMBER) else values.isna()).to_numpy()
        if absent.any():
            row = int(np.flatnonzero(absent)[0])
            raise ResultsError(path, f"no value in row {row}, and no reason given. {REMEDY}", column)


def _kind_of(values: pd.Series) -> str:
    if pd.api.types.is_bool_dtype(values):
        return FLAG
    return NUMBER if pd.api.types.is_numeric_dtype(values) else TEXT


def _is_of_kind(values: pd.Series, kind: str) -> bool:
    found = _kind_of(values)
    if kind == INTEGER:  # a column with nulls comes back from parquet as floating point
        return found == NUMBER and bool((values.to_numpy(dtype=float) % 1 == 0).all())
    return found == kind
