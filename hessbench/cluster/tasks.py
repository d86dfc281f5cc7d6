"""The tasks of `hessbench.system.processes.run_tasks` on Dask workers."""

import os
import pickle
import queue
import socket
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any, TypeVar

import torch
from distributed import Client, Future, KilledWorker, get_worker
from distributed.comm import CommClosedError

from hessbench.errors import HessbenchError
from hessbench.system.denormals import flushed_denormals
from hessbench.system.machine import require_versions, versions_of
from hessbench.system.processes import Report

POLL = 0.5
"""Seconds after which reports are looked for when no task has ended."""
SCHEDULER_GONE = (CancelledError, CommClosedError)
"""What a future raises when its scheduler is lost: it was told, or noticed while the result was fetched."""
PACKAGES = ("hessbench", "torch", "numpy", "scipy", "numba", "ase")
"""Packages on whose versions results depend."""

T = TypeVar("T")
R = TypeVar("R")


def run_on(
    client: Client,
    function: Callable[[T, Any, Report], R],
    tasks: Sequence[T],
    shared: Any,
    on_report: Report,
) -> list[R]:
    """Do what `hessbench.system.processes.run_tasks` does, one task a worker at a time.

    A task whose worker is lost is begun again on another, some times (Dask's allowed-failures, 3); what it
    reports again is not passed on twice. Workers work in this process's folder, so it must be on a file
    system that all of them share.

    Raises
    ------
    HessbenchError
        A worker has other versions of programs or does not see this folder; every worker that was given a
        task died; or the scheduler was lost.
    """
    topic = f"hessbench-{uuid.uuid4().hex}"
    reports: queue.SimpleQueue[tuple[int, int, bytes]] = queue.SimpleQueue()
    client.subscribe_topic(topic, lambda event: reports.put(event[1]))
    done: queue.SimpleQueue[Future] = queue.SimpleQueue()
    try:
        # held by the scheduler, so that it outlives any worker
        common = client.submit(_same, shared, pure=False)
        work = _Work(function, topic, str(Path.cwd()), versions_of(PACKAGES))
        futures = [client.submit(work, index, task, common, pure=False) for index, task in enumerate(tasks)]
        for future in futures:
            future.add_done_callback(done.put)
        passed_on: dict[int, int] = {}
        results: dict[object, R] = {}
        while len(results) < len(futures):
            try:
                future = done.get(timeout=POLL)
                results[future.key] = _result_of(future)
            except queue.Empty:
                pass
            _pass_on(reports, passed_on, on_report)
        _pass_on(reports, passed_on, on_report)
        return [results[future.key] for future in futures]
    finally:
        client.unsubscribe_topic(topic)


def _result_of(future: Future) -> Any:
    try:
        return future.result()
    except KilledWorker:
        raise HessbenchError(
            "Every worker process that a task was given to died, most likely for lack of memory; the same "
            "command goes on with what is missing."
        ) from None
    except SCHEDULER_GONE:
        raise HessbenchError(
            "The Dask scheduler was lost; the same command goes on with what is missing."
        ) from None


def _pass_on(reports: queue.SimpleQueue, passed_on: dict[int, int], on_report: Report) -> None:
    """Hand on what is new; a task that was begun again reports from its beginning."""
    while not reports.empty():
        index, number, content = reports.get()
        if number > passed_on.get(index, 0):
            passed_on[index] = number
            on_report(pickle.loads(content))


def _same(shared: Any) -> Any:
    return shared


class _Work:
    """A task's function as it is called on a worker.

    Parameters
    ----------
    function
        To call.
    topic
        Of its reports.
    folder
        Where to work.
    expected
        Versions of programs.
    """

    def __init__(self, function: Callable, topic: str, folder: str, expected: dict[str, str]) -> None:
        self.function, self.topic, self.folder, self.expected = function, topic, folder, expected

    def __call__(self, index: int, task: Any, shared: Any) -> Any:
        """Do the task numbered `index`."""
        require_versions(self.expected)
        try:
            os.chdir(self.folder)
        except OSError as error:
            raise HessbenchError(
                f"The worker on {socket.gethostname()} cannot work in {self.folder} ({error.strerror}); "
                "workers need a file system that they share with this machine."
            ) from None
        worker, count = get_worker(), 0

        def report(item: Any) -> None:
            nonlocal count
            count += 1
            worker.log_event(self.topic, (index, count, pickle.dumps(item)))

        torch.set_num_threads(1)
        with flushed_denormals():
            return self.function(task, shared, report)
