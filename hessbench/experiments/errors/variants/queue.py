"""One queue for the models of one or several experiments, each of which then writes its own tables."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import pandas as pd
from tqdm import tqdm

from hessbench.cluster.workers import workers
from hessbench.experiments.errors.variants.trained import Model, Share, Variant
from hessbench.system.processes import Report, run_tasks

M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class Part(Generic[M]):
    """What one experiment has in the queue.

    Attributes
    ----------
    models
        To train.
    train
        Trains and tests one of them on the share, in a process of its own, and reports numbers of epochs;
        see `hessbench.system.processes.run_tasks`.
    share
        What all of them are trained and tested on.
    write
        Called at the end with the rows of each model, in the order of the models, and with the time by the
        clock that the whole queue took, in s: writes the experiment's tables and says what was found.
    """

    models: Sequence[M]
    train: Callable[[M, Share, Report], pd.DataFrame]
    share: Share
    write: Callable[[list[pd.DataFrame], float], None]


def run_queue(title: str, parts: Sequence[Part[Any]], processes: int) -> None:
    """Train and test the models of all parts side by side, with one bar of progress; then write all tables.

    Parameters
    ----------
    title
        Of the bar.
    parts
        What is to be done.
    processes
        At most so many models at a time, or as many as the cluster has workers.
    """
    begin = time.perf_counter()
    tasks = [(number, place) for number, part in enumerate(parts) for place in range(len(part.models))]
    variants = {(number, place): parts[number].models[place].variant for number, place in tasks}
    # those that take longest are begun first, so that no process waits for another at the end
    tasks.sort(key=lambda task: work(variants[task]), reverse=True)
    found: dict[tuple[int, int], pd.DataFrame] = {}
    if tasks:
        epochs = sum(variant.config.epochs for variant in variants.values())
        with tqdm(total=epochs, desc=title, unit="epoch", smoothing=0.1) as bar:

            def advance(done: int) -> None:
                bar.update(done)

            shared = [(part.train, part.models, part.share) for part in parts]
            rows = run_tasks(_train, tasks, shared, workers(processes), advance)
        found = dict(zip(tasks, rows, strict=True))
    seconds = time.perf_counter() - begin
    for number, part in enumerate(parts):
        part.write([found[number, place] for place in range(len(part.models))], seconds)


def work(variant: Variant) -> int:
    """How long a training is beside others on the same share, roughly: epochs times orders of derivatives."""
    return variant.config.epochs * (1 + variant.loss.derivatives)


def _train(task: tuple[int, int], shared: Sequence[tuple[Any, Any, Share]], report: Report) -> pd.DataFrame:
    """Train and test one model of one part."""
    number, place = task
    train, models, share = shared[number]
    rows: pd.DataFrame = train(models[place], share, report)
    return rows
