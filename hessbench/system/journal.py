"""What came out so far, reaction by reaction or structure by structure: a journal that survives a kill.

It is an SQLite file beside the output, written by one process only, one committed row a reaction.
"""

import hashlib
import io
import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from hessbench.errors import DataError, HessbenchError
from hessbench.system.npz import check_sizes
from hessbench.system.reading import reading

ANEW = "delete it to start anew"


@dataclass(frozen=True)
class Failure:
    """Something that did not come out, and why."""

    structure: str
    reason: str


@dataclass(frozen=True)
class Outcome:
    """What one reaction gave: named arrays (none if all failed) and failures."""

    name: str
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)


class Journal:
    """Finished reactions of one run.

    Parameters
    ----------
    path
        SQLite file, made if missing.
    settings
        What the results depend on: names and values, also of the programs and the source; a journal made with
        others is refused.

    Raises
    ------
    HessbenchError
        The journal belongs to a run with other settings, or is no journal.
    """

    def __init__(self, path: Path, settings: dict[str, Any]) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with reading(path, "cannot be opened"):
            self._connection = sqlite3.connect(path, timeout=60)
        try:
            with self._reading(), self._connection:
                self._connection.execute("CREATE TABLE IF NOT EXISTS settings (content TEXT)")
                self._connection.execute(
                    "CREATE TABLE IF NOT EXISTS outcomes (name TEXT PRIMARY KEY, arrays BLOB, failures TEXT)"
                )
                stored = self._connection.execute("SELECT content FROM settings").fetchone()
                content = json.dumps(settings, sort_keys=True)
                if stored is None:
                    self._connection.execute("INSERT INTO settings VALUES (?)", (content,))
            if stored is not None and stored[0] != content:
                with reading(path, "not a usable journal", ANEW):
                    differences = _differences(json.loads(stored[0]), settings)
                raise HessbenchError(
                    f"{path}: what is in it was made with {differences}; "
                    "delete it to start anew or choose another output."
                )
        except HessbenchError:
            self._connection.close()
            raise

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *exception: object) -> None:
        self._connection.close()

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Tell a damaged file from one that the machine keeps us from: there, what it holds is not lost."""
        try:
            with reading(self.path, "not a usable journal", ANEW):
                yield
        except HessbenchError as error:
            cause = error.__cause__
            if isinstance(cause, sqlite3.OperationalError):  # locked, disk full, file not writable
                raise DataError(self.path, f"the journal cannot be used now ({cause}).") from cause
            raise

    def names(self) -> set[str]:
        """Names of the finished reactions."""
        with self._reading():
            return {row[0] for row in self._connection.execute("SELECT name FROM outcomes")}

    def add(self, outcome: Outcome) -> None:
        """Record a finished reaction; when this returns it is on disk."""
        buffer = io.BytesIO()
        np.savez(buffer, **outcome.arrays)  # type: ignore[arg-type]
        failures = json.dumps([[failure.structure, failure.reason] for failure in outcome.failures])
        with self._reading(), self._connection:
            self._connection.execute(
                "INSERT OR REPLACE INTO outcomes VALUES (?, ?, ?)",
                (outcome.name, buffer.getvalue(), failures),
            )

    def outcomes(self, wanted: Iterable[str]) -> Iterator[Outcome]:
        """Yield the finished ones of the wanted reactions, sorted by name; one at a time is in memory."""
        for name in sorted(self.names().intersection(wanted)):
            if outcome := self.get(name):
                yield outcome

    def get(self, name: str) -> Outcome | None:
        """Give the finished reaction of a name, if there is one."""
        with self._reading():
            row = self._connection.execute("SELECT * FROM outcomes WHERE name = ?", (name,)).fetchone()
        with reading(self.path, "not a usable journal", ANEW, place=name):
            return None if row is None else _outcome(*row)


def checksum(source: Path) -> str:
    """Tell one source from another, for the settings of a journal."""
    with source.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def _differences(stored: dict[str, Any], present: dict[str, Any]) -> str:
    """Say in which settings a journal differs from those asked for."""
    present = json.loads(json.dumps(present))  # tuples are lists there
    keys = [key for key in sorted({*stored, *present}) if stored.get(key) != present.get(key)]
    return ", ".join(f"{key} {stored.get(key)} instead of {present.get(key)}" for key in keys)


def _outcome(name: str, arrays: bytes, failures: str) -> Outcome:
    check_sizes(io.BytesIO(arrays))
    with np.load(io.BytesIO(arrays), allow_pickle=False) as archive:
        return Outcome(name, dict(archive), [Failure(*item) for item in json.loads(failures)])
