"""Peak memory of a training step, each way in a process of its own."""

import json
import os
import re
import resource
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from hessbench.benchmarks.timing import Case

_PROGRAM = """
import json, sys
import torch
from hessbench.benchmarks.memory import peak
from hessbench.benchmarks.timing import Case, step

case, way = Case(**json.loads(sys.argv[1])), sys.argv[2]
torch.set_num_threads(case.threads or 1)
small, one = Case(**{**json.loads(sys.argv[1]), "batch": 1}).build()
step(way, small, one)  # code and libraries are loaded before the count begins
model, batch = case.build()
before = peak(case.device)
step(way, model, batch)
print(peak(case.device) - before)
"""


def high_water_mark() -> float:
    """Most memory that this process has had in use so far, MiB."""
    if sys.platform == "linux":  # getrusage counts the parent's memory at the fork, too
        status = Path("/proc/self/status").read_text(encoding="utf-8")
        return int(re.search(r"VmHWM:\s*(\d+) kB", status)[1]) / 2**10  # type: ignore[index]
    unit = 1 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def peak(device: str) -> float:
    """Most memory of a device that this process has had in use so far, MiB."""
    if device == "cpu":
        return high_water_mark()
    import torch  # by those alone who measure

    return torch.cuda.max_memory_allocated(device) / 2**20


def peak_memory(case: Case, way: str) -> float:
    """Memory in MiB that one step adds to the peak of a process that has taken a step of one molecule."""
    result = subprocess.run(
        [sys.executable, "-c", _PROGRAM, json.dumps(asdict(case)), way],
        check=True,
        capture_output=True,
        encoding="utf-8",
        env=os.environ | {"OMP_NUM_THREADS": str(case.threads or 1)},
    )
    return float(result.stdout)
