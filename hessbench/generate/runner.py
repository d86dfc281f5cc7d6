"""Runs one function over many reactions on Dask workers.

Only this process writes to the journal. Started again, a run computes what is missing; results are put
together in the order of the reactions' names, so the final file depends neither on the number of workers, nor
on which of them were lost, nor on interruptions.
"""

import functools
import itertools
import os
import queue
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from typing import TypeVar

from distributed import Client, Future, KilledWorker
from tqdm import tqdm

from hessbench.chemistry.levels import versions
from hessbench.cluster.connection import ONE_THREAD, Cluster
from hessbench.cluster.tasks import SCHEDULER_GONE
from hessbench.errors import HessbenchError
from hessbench.system.journal import Failure, Journal, Outcome
from hessbench.system.machine import require_versions

QUEUE_PER_WORKER = 2
"""Tasks in flight per worker: the one at work and the next; memory here and there is bounded by it."""
POLL = 1.0
"""Seconds after which workers are counted again when nothing is finished."""

SCHEDULER_LOST = "The Dask scheduler was lost; run the same command again to go on where the work stopped."
KILLED = "every worker process that it was given to died; the same command tries it again"

T = TypeVar("T")


def run(
    function: Callable[[T], Outcome],
    names: Sequence[str],
    load: Callable[[str], T],
    journal: Journal,
    cluster: Cluster,
    description: str,
) -> list[Outcome]:
    """Apply a function to the reactions that the journal does not hold yet.

    A task whose worker is lost is tried on others by Dask's scheduler, some times (its allowed-failures, 3).
    One for which that was not enough may only have been near another one that kills workers; it is tried
    again when it is alone in flight.

    Parameters
    ----------
    function
        Importable on the workers; its result may depend on the task only.
    names
        Of the reactions, in the order in which they are handed out.
    load
        Makes the task of a reaction, when it is handed out.
    journal
        Where outcomes go.
    cluster
        Where the work is done.
    description
        Title of the progress bar.

    Returns
    -------
    list of Outcome
        Reactions, sorted by name, that killed each worker they were given to, as failures. They are not in
        the journal: the next run tries them again.

    Raises
    ------
    HessbenchError
        The cluster cannot be used (see `Cluster.connect`), was lost, or has workers that would not give the
        same results as this process.
    """
    finished = journal.names()
    missing = [name for name in names if name not in finished]
    if not missing:
        return []
    lost = []
    done = len(names) - len(missing)
    with (
        cluster.connect() as client,
        tqdm(total=len(names), initial=done, desc=description, unit="reaction", smoothing=0.05) as bar,
    ):
        suspects = []
        for name, outcome in _outcomes(client, function, missing, load, None, bar):
            if outcome is None:
                suspects.append(name)
            else:
                journal.add(outcome)
                bar.update()
        for name, outcome in _outcomes(client, function, suspects, load, 1, bar):
            if outcome is None:
                lost.append(Outcome(name, failures=[Failure("reaction", KILLED)]))
            else:
                journal.add(outcome)
            bar.update()
    return sorted(lost, key=lambda outcome: outcome.name)


def _outcomes(
    client: Client,
    function: Callable[[T], Outcome],
    names: Sequence[str],
    load: Callable[[str], T],
    most: int | None,
    bar: tqdm,
) -> Iterator[tuple[str, Outcome | None]]:
    """Yield what comes of each task, as it comes; None if the scheduler gave up because of lost workers.

    Parameters
    ----------
    most
        Number of tasks in flight; `QUEUE_PER_WORKER` of them for each worker if None.
    bar
        Shows the number of workers.
    """
    work = functools.partial(_work, function, versions())
    waiting = iter(names)
    pending: dict[object, tuple[str, Future]] = {}
    done: queue.SimpleQueue[Future] = queue.SimpleQueue()
    left = len(names)
    shown = None
    while left:
        workers = _count_workers(client)
        if workers != shown:
            bar.set_postfix(workers=workers)
            shown = workers
        limit = QUEUE_PER_WORKER * workers if most is None else most
        for name in itertools.islice(waiting, max(limit - len(pending), 0)):
            future = client.submit(work, load(name), pure=False)
            pending[future.key] = name, future
            future.add_done_callback(done.put)
        try:
            future = done.get(timeout=POLL)
        except queue.Empty:
            continue
        name, _ = pending.pop(future.key)
        left -= 1
        try:
            outcome = future.result()
        except KilledWorker:
            outcome = None
        except SCHEDULER_GONE:
            raise HessbenchError(SCHEDULER_LOST) from None
        except (ModuleNotFoundError, RuntimeError) as error:
            # The scheduler wraps what keeps it from reading a task.
            missing = error.__cause__ if isinstance(error, RuntimeError) else error
            if not isinstance(missing, ModuleNotFoundError):
                raise
            raise HessbenchError(
                f"The Dask scheduler or a worker cannot import {missing.name}; install 'hessbench[generate]' "
                "there, too."
            ) from error
        yield name, outcome


def _count_workers(client: Client) -> int:
    try:
        threads = client.nthreads()
    except (OSError, CancelledError):
        raise HessbenchError(SCHEDULER_LOST) from None
    crowded = [address for address, number in threads.items() if number != 1]
    if crowded:
        raise HessbenchError(
            f"The worker {crowded[0]} has {threads[crowded[0]]} threads; start workers with one each, "
            "`dask worker ADDRESS --nthreads 1 --nworkers NUMBER`."
        )
    return len(threads)


def _work(function: Callable[[T], Outcome], expected: dict[str, str], task: T) -> Outcome:
    """Do a task on a worker, if it would come out there as everywhere else.

    Raises
    ------
    HessbenchError
        Programs have other versions than where the results are put together, or may use several threads.
    """
    require_versions(
        expected, (f"{key} not {value}" for key, value in ONE_THREAD.items() if os.environ.get(key) != value)
    )
    return function(task)
