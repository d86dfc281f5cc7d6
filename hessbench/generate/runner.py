"""Runs one function over many reactions in worker processes, with a journal that survives a kill.

The journal is an SQLite file beside the output, written by the main process only, one committed row a
reaction. Started again, a run computes what is missing; results are put together in the order of the
reactions' names, so the final file depends neither on the number of workers nor on interruptions.
"""

import io
import json
import multiprocessing
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
from tqdm import tqdm

from hessbench.errors import HessbenchError

QUEUE_PER_WORKER = 4
"""Reactions handed out ahead per worker: enough to keep it busy, few enough to bound memory."""


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


class Task(Protocol):
    """Work on one reaction; its name identifies it in the journal."""

    @property
    def name(self) -> str: ...  # noqa: D102


T = TypeVar("T", bound=Task)


class Journal:
    """Finished reactions of one run.

    Parameters
    ----------
    path
        SQLite file, made if missing.
    settings
        What the results depend on; a journal made with other settings is refused.

    Raises
    ------
    HessbenchError
        The journal belongs to a run with other settings, or is no journal.
    """

    def __init__(self, path: Path, settings: dict[str, Any]) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, timeout=60)
        try:
            with self._connection:
                self._connection.execute("CREATE TABLE IF NOT EXISTS settings (content TEXT)")
                self._connection.execute(
                    "CREATE TABLE IF NOT EXISTS outcomes (name TEXT PRIMARY KEY, arrays BLOB, failures TEXT)"
                )
                stored = self._connection.execute("SELECT content FROM settings").fetchone()
                content = json.dumps(settings, sort_keys=True)
                if stored is None:
                    self._connection.execute("INSERT INTO settings VALUES (?)", (content,))
        except sqlite3.DatabaseError as error:
            self._connection.close()
            raise HessbenchError(
                f"{path}: not a usable journal ({error}); delete it to start anew."
            ) from error
        if stored is not None and stored[0] != content:
            self._connection.close()
            raise HessbenchError(
                f"{path}: made with other settings ({stored[0]} instead of {content}); "
                "delete it to start anew or choose another output."
            )

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *exception: object) -> None:
        self._connection.close()

    def names(self) -> set[str]:
        """Names of the finished reactions."""
        return {row[0] for row in self._connection.execute("SELECT name FROM outcomes")}

    def add(self, outcome: Outcome) -> None:
        """Record a finished reaction; when this returns it is on disk."""
        buffer = io.BytesIO()
        np.savez(buffer, **outcome.arrays)  # type: ignore[arg-type]
        failures = json.dumps([[failure.structure, failure.reason] for failure in outcome.failures])
        with self._connection:
            self._connection.execute(
                "INSERT OR REPLACE INTO outcomes VALUES (?, ?, ?)",
                (outcome.name, buffer.getvalue(), failures),
            )

    def outcomes(self) -> Iterator[Outcome]:
        """Yield the finished reactions, sorted by name."""
        for name, arrays, failures in self._connection.execute("SELECT * FROM outcomes ORDER BY name"):
            with np.load(io.BytesIO(arrays), allow_pickle=False) as archive:
                yield Outcome(name, dict(archive), [Failure(*item) for item in json.loads(failures)])


def run(
    function: Callable[[T], Outcome],
    tasks: Sequence[T],
    journal: Journal,
    workers: int,
    description: str,
) -> None:
    """Apply a function to the tasks that the journal does not hold yet.

    Parameters
    ----------
    function
        Picklable; its result may depend on the task only.
    tasks
        In the order in which they are handed out.
    journal
        Where outcomes go.
    workers
        Number of worker processes; with one, the work is done in this process.
    description
        Title of the progress bar.

    Raises
    ------
    HessbenchError
        A worker process died.
    """
    finished = journal.names()
    missing = iter([task for task in tasks if task.name not in finished])
    done = sum(task.name in finished for task in tasks)
    bar = tqdm(total=len(tasks), initial=done, desc=description, unit="reaction", smoothing=0.05)
    if workers == 1:
        with bar:
            for task in missing:
                journal.add(function(task))
                bar.update()
        return
    context = multiprocessing.get_context("spawn")  # threads of numerical libraries do not survive a fork
    with ProcessPoolExecutor(workers, context, _end_with, (os.getpid(),)) as pool, bar:
        pending: set[Future[Outcome]] = set()
        try:
            while True:
                while len(pending) < QUEUE_PER_WORKER * workers and (task := next(missing, None)) is not None:
                    pending.add(pool.submit(function, task))
                if not pending:
                    return
                ready, pending = wait(pending, return_when=FIRST_COMPLETED)
                for future in ready:
                    journal.add(future.result())
                    bar.update()
        except BrokenProcessPool:
            raise HessbenchError(
                f"A worker process died during {description}; what is finished is in {journal.path}, "
                "run the same command again to go on."
            ) from None
        finally:
            for future in pending:
                future.cancel()


def _end_with(parent: int) -> None:
    """Make this worker process end when its parent was killed; it would wait for work for ever otherwise."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
