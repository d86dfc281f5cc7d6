"""How long the stages of the pipeline took on this machine: results/stage-times.csv."""

import csv
import io
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

from hessbench.system.files import write_text
from hessbench.system.reading import reading

FILE = Path("results/stage-times.csv")


@dataclass(frozen=True)
class StageTime:
    """The last run of a stage.

    Attributes
    ----------
    stage
        Its name in dvc.yaml, for example "train@efh-80".
    seconds, processor_seconds
        By the clock, and of all its processes.
    ended
        Date and time, UTC.
    """

    stage: str
    seconds: float
    processor_seconds: float
    ended: str


@contextmanager
def timed_stage(path: Path = FILE) -> Iterator[None]:
    """Record the time of the block if DVC runs it as a stage, and it succeeds.

    DVC names the stage in the environment variable DVC_STAGE.
    """
    stage, begin = os.environ.get("DVC_STAGE"), time.perf_counter()
    try:
        yield
    except SystemExit as end:
        if end.code not in (None, 0):
            raise
        _record(path, stage, begin)
        raise
    _record(path, stage, begin)


def _record(path: Path, stage: str | None, begin: float) -> None:
    if not stage:
        return
    used = os.times()
    processor = used.user + used.system + used.children_user + used.children_system
    moment = datetime.now(UTC).isoformat(timespec="seconds")
    this = StageTime(stage, round(time.perf_counter() - begin, 1), round(processor, 1), moment)
    others = [item for item in read_stage_times(path) if item.stage != stage]
    text = io.StringIO()
    writer = csv.DictWriter(text, [field.name for field in fields(StageTime)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(item) for item in (*others, this))
    write_text(path, text.getvalue())


def read_stage_times(path: Path = FILE) -> list[StageTime]:
    """Times of all stages that were run here, in the order in which they ended; none if none were.

    Raises
    ------
    DataError
        The file is damaged.
    """
    if not path.exists():
        return []
    with reading(path, "is no table of times", "delete it, the next stages begin it anew"):
        rows = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8")))
        return [
            StageTime(row["stage"], float(row["seconds"]), float(row["processor_seconds"]), row["ended"])
            for row in rows
        ]
