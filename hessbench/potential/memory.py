"""Peak memory of a training step, each way in a process of its own."""

import json
import os
import subprocess
import sys
from dataclasses import asdict

from hessbench.potential.timing import Case

_PROGRAM = """
import json, resource, sys
import torch
from hessbench.potential.timing import Case, step

case, way = Case(**json.loads(sys.argv[1])), sys.argv[2]
torch.set_num_threads(case.threads or 1)
small, one = Case(**{**json.loads(sys.argv[1]), "batch": 1}).build()
step(way, small, one)  # code and libraries are loaded before the count begins
model, batch = case.build()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
step(way, model, batch)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def peak_memory(case: Case, way: str) -> float:
    """Memory in MiB that one step adds to the peak of a process that has taken a step of one molecule.

    On a CPU; allocations of a GPU are not seen.
    """
    unit = 1 if sys.platform == "darwin" else 1024  # bytes on macOS, KiB elsewhere
    result = subprocess.run(
        [sys.executable, "-c", _PROGRAM, json.dumps(asdict(case)), way],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": str(case.threads or 1)},
    )
    return int(result.stdout) * unit / 2**20
