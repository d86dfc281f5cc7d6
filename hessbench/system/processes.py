"""Several independent tasks in parallel processes, one torch thread each, with reports on the way."""

import multiprocessing
import os
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, Protocol, TypeVar

import torch

from hessbench.errors import HessbenchError
from hessbench.system.denormals import flushed_denormals

T = TypeVar("T")
R = TypeVar("R")
Report = Callable[[Any], None]

ENDING = 60.0
"""Seconds that the last reports may take once the processes have ended."""


class Workers(Protocol):
    """Other processes than those of this machine, see `hessbench.cluster.connection.Cluster`."""

    def run(
        self, function: Callable[[T, Any, Report], R], tasks: Sequence[T], shared: Any, on_report: Report
    ) -> list[R]:
        """Do what `run_tasks` does."""
        ...


_shared: Any = None
_sender: Any = None
_lock: Any = None


def run_tasks(
    function: Callable[[T, Any, Report], R],
    tasks: Sequence[T],
    shared: Any,
    processes: int | Workers,
    on_report: Report,
) -> list[R]:
    """Call `function(task, shared, report)` for every task.

    Parameters
    ----------
    function
        Defined at the top level of a module, so that new processes find it.
    tasks
        Small; pickled one by one.
    shared
        What all tasks need, pickled once for each process.
    processes
        At most so many at the same time; a single task, or one process, runs here. Or other workers.
    on_report
        Called in this process with what the tasks report.

    Returns
    -------
    list
        Results in the order of the tasks.

    Raises
    ------
    HessbenchError
        A process was killed, most likely for lack of memory. What a task raises is raised here,
        when the tasks that run have ended; tasks that wait are not begun.
    """
    if not isinstance(processes, int):
        return processes.run(function, tasks, shared, on_report)
    if min(processes, len(tasks)) <= 1:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            with flushed_denormals():
                return [function(task, shared, on_report) for task in tasks]
        finally:
            torch.set_num_threads(threads)
    context = multiprocessing.get_context("spawn")  # torch's thread pools do not survive a fork
    receiver, sender = context.Pipe(duplex=False)
    reports: queue.SimpleQueue[Any] = queue.SimpleQueue()
    taker = threading.Thread(target=_take, args=(receiver, reports), daemon=True)
    taker.start()
    try:
        with ProcessPoolExecutor(
            min(processes, len(tasks)), context, _start, (shared, sender, context.Lock())
        ) as pool:
            futures = [pool.submit(_call, function, task) for task in tasks]
            pending: set[Future[R]] = set(futures)
            while pending:
                done, pending = wait(pending, timeout=0.2, return_when=FIRST_EXCEPTION)
                _hand_over(reports, on_report)
                if any(future.exception() for future in done):
                    pool.shutdown(cancel_futures=True)
                    break
    finally:
        sender.close()  # the others ended with their processes
        taker.join(ENDING)
    _hand_over(reports, on_report)
    try:
        # a task that failed comes before those cancelled because of it
        return [future.result() for future in sorted(futures, key=Future.cancelled)]
    except BrokenProcessPool:
        raise HessbenchError(
            "A parallel process was killed from outside, most likely for lack of memory; "
            "run again with fewer `processes` (what is finished is kept)."
        ) from None


def _start(shared: Any, sender: Connection, lock: Any) -> None:
    """Set a process up: it ends with the one that started it, has one thread, and no denormals."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    global _shared, _sender, _lock  # a spawned process has no other place to keep them
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    _shared, _sender, _lock = shared, sender, lock


def _end_with_parent() -> None:
    """Wait until the process that started this one is gone, killed perhaps, then end at once."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _call(function: Callable[[T, Any, Report], R], task: T) -> R:
    return function(task, _shared, _report)


def _report(content: Any) -> None:
    with _lock:
        _sender.send(content)


def _take(receiver: Connection, reports: "queue.SimpleQueue[Any]") -> None:
    """Take reports out of the pipe at all times: tasks and the ends of processes wait when it is full."""
    with suppress(EOFError, OSError):  # all senders have ended, or one in the middle of a report
        while True:
            reports.put(receiver.recv())


def _hand_over(reports: "queue.SimpleQueue[Any]", on_report: Report) -> None:
    with suppress(queue.Empty):
        while True:
            on_report(reports.get_nowait())
