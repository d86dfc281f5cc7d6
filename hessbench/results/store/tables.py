"""Results tables on disk: the one writer and the one reader, and what both make sure of.

Every table is one parquet file with its provenance and a checksum in the file's metadata. A failure is a row
with a `reason` whose numbers are null; NaN and infinity never stand in a table, neither written nor read.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from hessbench.config.inputs import inputs_of
from hessbench.errors import DataError, HessbenchError
from hessbench.results.store.provenance import Provenance
from hessbench.system.files import replacing
from hessbench.system.reading import reading
from hessbench.system.seal import BLANK, check_seal, seal
from hessbench.system.trial import tried

METADATA_KEY = b"hessbench"
"""Key of the file's metadata under which the provenance stands, as JSON."""
CHECKSUM_KEY = b"hessbench_checksum"
"""Key under which the file's checksum stands (hessbench/system/seal.py)."""
BROUGHT = "brought"
"""Folder of the results that holds those of users' models, laid out alike; it is no output of a stage."""
TEXT, INTEGER, NUMBER, FLAG = "text", "integer", "number", "flag"
REASON = "reason"
"""Column of text that says why numbers of a row are null; empty where none is."""
ANEW = "remove the file and run `dvc repro` to compute it anew"
REMEDY = f"{ANEW.capitalize()}."


@dataclass(frozen=True)
class Table:
    """A results table and its columns; each experiment declares its own.

    Attributes
    ----------
    name
        The file is results/<name>.parquet; if there are several of one form, results/<name>/<part>.parquet.
    columns
        Column to the kind of its values. Units are kcal/mol, Angstrom, K, fs, cm-1 and s unless a name says
        another.
    nullable
        Columns whose value may be absent without a failure.
    lowest
        Column to the smallest value that it may hold.
    key
        Columns that tell the rows apart: no two rows have the same values there. Empty: not checked.
    may_be_empty
        Whether no rows at all are a result.
    """

    name: str
    columns: Mapping[str, str]
    nullable: frozenset[str] = frozenset()
    lowest: Mapping[str, float] = field(default_factory=dict)
    key: tuple[str, ...] = ()
    may_be_empty: bool = False

    def path(self, results: Path, part: str | None = None) -> Path:
        """File of the table, or of one of its parts, in the folder of results."""
        return results / f"{self.name}.parquet" if part is None else results / self.name / f"{part}.parquet"


def folders_of(results: Path, table: Table) -> dict[str, Path]:
    """Parts of a table, those of users' models included, in alphabetical order.

    Parameters
    ----------
    results
        Folder of the results.
    table
        Which one.

    Returns
    -------
    dict
        Part to the folder that `read_table` and `Table.path` take: `results`, or `BROUGHT` below it.
    """
    folders = (results / BROUGHT, results)  # of the same name that of the pipeline counts
    found = {path.stem: folder for folder in folders for path in (folder / table.name).glob("*.parquet")}
    return dict(sorted(found.items()))


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


class ProvenanceError(ResultsError):
    """A results table does not say what it was made from."""


def write_table(
    results: Path, table: Table, frame: pd.DataFrame, provenance: Provenance, part: str | None = None
) -> Path:
    """Write a results table with its provenance; the file appears whole or not at all.

    Parameters
    ----------
    results
        Folder of the results; made if needed.
    table
        Which one.
    frame
        Rows, in the table's columns; a failed one has a `reason`, and null (None or NaN) in place of the
        numbers it could not get.
    provenance
        What the table was made from.
    part
        Name of the part, if the table has several.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ResultsError
        A column is missing, unknown or of another kind, a number is infinite or too small, a number is null
        in a row without reason, or a row stands twice.
    """
    path = table.path(results, part)
    unknown = [column for column in frame if column not in table.columns]
    if unknown:
        raise ResultsError(path, f"unknown; {table.name} has {', '.join(table.columns)}.", str(unknown[0]))
    _check(path, table, frame, list(table.columns))
    content = pa.Table.from_pandas(frame, preserve_index=False)
    metadata = dict(content.schema.metadata or {})
    metadata[METADATA_KEY] = json.dumps(asdict(provenance)).encode()
    metadata[CHECKSUM_KEY] = BLANK
    buffer = pa.BufferOutputStream()
    pq.write_table(content.replace_schema_metadata(metadata), buffer)
    file = buffer.getvalue().to_pybytes()
    with replacing(path) as temporary:
        temporary.write_bytes(seal(file))
    return path


def read_table(
    results: Path, table: Table, columns: Iterable[str] | None = None, part: str | None = None
) -> pd.DataFrame:
    """Read a results table and make sure that it can be relied upon.

    Parameters
    ----------
    results
        Folder of the results.
    table
        Which one.
    columns
        Columns needed; the others are not read. None reads all.
    part
        Name of the part, if the table has several.

    Returns
    -------
    DataFrame
        The columns asked for, in that order; null numbers (NaN in pandas) only in rows with a `reason`, or in
        nullable columns.

    Raises
    ------
    ResultsError
        No such file, no parquet, no rows, a column is missing or of another kind, a number is NaN, infinite,
        null or too small, or a row stands twice.
    """
    path = table.path(results, part)
    file = _open(path)
    present = file.schema_arrow.names
    columns = list(table.columns if columns is None else columns)
    for column in columns:
        if column not in present:
            raise ResultsError(path, f"missing; the file has {', '.join(present)}. {REMEDY}", column)
    wanted = [*columns, *({REASON} & set(present) - set(columns))]
    with reading(path, "is no readable parquet file", ANEW, error=ResultsError):
        content = file.read(columns=wanted)
        content.validate(full=True)
        frame = content.to_pandas()
    for column in wanted:
        if pa.types.is_floating(content.schema.field(column).type):
            values = content[column].drop_null().to_numpy()
            if not np.isfinite(values).all():
                raise ResultsError(path, f"holds NaN or infinity. {REMEDY}", column)
    if frame.empty and not table.may_be_empty:
        raise ResultsError(path, f"holds no rows. {REMEDY}")
    _check(path, table, frame, wanted)
    return frame[columns]


def read_provenance(path: Path) -> Provenance:
    """Read the provenance of a results table.

    Raises
    ------
    ProvenanceError
        It carries none.
    ResultsError
        No such file, or no parquet.
    """
    metadata = _open(path).schema_arrow.metadata or {}
    if METADATA_KEY not in metadata:
        raise ProvenanceError(path, f"does not say what it was made from. {REMEDY}")
    with reading(path, "does not say what it was made from", ANEW, error=ProvenanceError):
        content = json.loads(metadata[METADATA_KEY])
        return Provenance(**content | {"inputs": inputs_of(content["inputs"])})


def _open(path: Path) -> pq.ParquetFile:
    """Open a file and hold it against its checksum."""
    missing = "does not exist; `dvc repro` computes it."
    with reading(path, "is no readable parquet file", ANEW, missing=missing, error=ResultsError):
        content = path.read_bytes()
    with reading(path, "is damaged", ANEW, error=ResultsError):
        sealed = check_seal(content)
    if not sealed:  # another program may have written it, or it is damaged there
        try:
            tried(path, lambda: _parquet(content).read(use_threads=False).validate(full=True))
        except DataError as error:
            raise ResultsError(path, f"{error.problem} {REMEDY}") from None
    with reading(path, "is no readable parquet file", ANEW, error=ResultsError):
        return _parquet(content)


def _parquet(content: bytes) -> pq.ParquetFile:
    return pq.ParquetFile(pa.BufferReader(content))


def _check(path: Path, table: Table, frame: pd.DataFrame, columns: Iterable[str]) -> None:
    """Check kinds and bounds of columns, that a row without a number says why, and that rows differ."""
    if REASON in frame:
        excused = frame[REASON].fillna("").astype(str).str.strip().ne("")
    else:
        excused = pd.Series(False, index=frame.index)
    for column in columns:
        if column not in frame:
            raise ResultsError(path, f"missing; the table has {', '.join(map(str, frame.columns))}.", column)
        values = frame[column]
        present = values.dropna()
        if isinstance(values.dtype, pd.CategoricalDtype):
            present = present.astype(values.cat.categories.dtype)
        kind = table.columns.get(column, TEXT)  # a reason that the table does not declare
        if len(present) and not _is_of_kind(present, kind):
            raise ResultsError(path, f"expected {kind}, found {values.dtype}.", column)
        if kind in (INTEGER, NUMBER) and np.isinf(present.to_numpy(dtype=float)).any():
            raise ResultsError(path, f"holds infinity. {REMEDY}", column)
        if column in table.lowest and (present < table.lowest[column]).any():
            raise ResultsError(path, f"holds values below {table.lowest[column]:g}. {REMEDY}", column)
        if column == REASON or column in table.nullable:
            continue
        absent = (values.isna() & ~excused if kind in (INTEGER, NUMBER) else values.isna()).to_numpy()
        if absent.any():
            row = int(np.flatnonzero(absent)[0])
            raise ResultsError(path, f"no value in row {row}, and no reason given. {REMEDY}", column)
    if table.key and set(table.key) <= set(columns):
        key = list(table.key)
        twice = frame.duplicated(key)
        if twice.any():
            raise ResultsError(
                path, f"the row {frame.loc[twice, key].iloc[0].to_dict()} stands twice. {REMEDY}"
            )


def _kind_of(values: pd.Series) -> str:
    if pd.api.types.is_bool_dtype(values):
        return FLAG
    return NUMBER if pd.api.types.is_numeric_dtype(values) else TEXT


def _is_of_kind(values: pd.Series, kind: str) -> bool:
    found = _kind_of(values)
    if kind == INTEGER:  # a column with nulls comes back from parquet as floating point
        return found == NUMBER and bool((values.to_numpy(dtype=float) % 1 == 0).all())
    return found == kind
