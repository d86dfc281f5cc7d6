"""Of two processes that would write the same, one is refused in one sentence; a killed one stops nobody."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from hessbench.data.layout import write_reactions
from hessbench.errors import HessbenchError
from hessbench.experiments.errors.run.settings import EvaluationConfig
from hessbench.system.alone import alone
from tests.training.synthetic import METADATA, MODEL, loss_of, reactions, training_config

HOLD = """
import sys, time
from pathlib import Path
from hessbench.system.alone import alone
with alone(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""
REFUSED = "another process does the same work here now"


@pytest.fixture
def holder(tmp_path):
    """A process that holds a lock."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "a.lock")], stdout=subprocess.PIPE, encoding="utf-8"
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_the_second_is_refused_until_the_first_is_killed(tmp_path, holder):
    with pytest.raises(HessbenchError, match=REFUSED), alone(tmp_path / "b.lock", tmp_path / "a.lock"):
        pytest.fail("both are in")
    with alone(tmp_path / "b.lock"):
        pass
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    with alone(tmp_path / "a.lock"):
        pass
    assert not list(tmp_path.iterdir())


def hessbench(folder: Path, *arguments: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "hessbench", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


@pytest.mark.slow
def test_two_evaluations_at_once_are_right_or_one_is_refused(tmp_path):
    (tmp_path / "data/active").mkdir(parents=True)
    for seed, name in enumerate(("rtp", "irc", "nms")):
        data = reactions(20 if name == "rtp" else 2, 2, seed)
        write_reactions(tmp_path / f"data/active/{name}.h5", data, METADATA)
    training = training_config(losses={"e": loss_of()}, seeds=2, epochs=1)
    params = {
        "profile": "tiny",
        "split": {"training_percents": [40]},
        "model": MODEL.model_dump(mode="json"),
        "training": training.model_dump(mode="json"),
        "evaluation": EvaluationConfig(batch_size=4, processes=1).model_dump(mode="json"),
    }
    (tmp_path / "params.yaml").write_text(json.dumps(params))
    evaluate = ("evaluate", "--loss", "e", "--percent", "40")
    for command in (("split",), ("train",), evaluate):
        process = hessbench(tmp_path, *command)
        _, said = process.communicate()
        assert process.returncode == 0, said
    table = tmp_path / "results/errors/e-40.parquet"
    wanted = pd.read_parquet(table)
    table.unlink()

    processes = [hessbench(tmp_path, *evaluate)]
    time.sleep(0.2)
    processes.append(hessbench(tmp_path, *evaluate))
    said = [process.communicate()[1] for process in processes]
    statuses = [process.returncode for process in processes]
    assert 0 in statuses
    for status, error in zip(statuses, said, strict=True):
        assert status == 0 or (status == 2 and REFUSED in error.splitlines()[-1]), error
    pd.testing.assert_frame_equal(pd.read_parquet(table), wanted)

    with alone(tmp_path / "results/checkpoints/evaluate-e-40.lock"):
        process = hessbench(tmp_path, *evaluate)
        _, error = process.communicate()
    assert process.returncode == 2
    assert error.count("\n") == 1
    assert REFUSED in error
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith(".") or path.suffix == ".lock"]
