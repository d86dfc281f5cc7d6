"""Tasks on Dask workers: the same results as in this process, whatever happens to the workers."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest
import torch

from hessbench.cluster.connection import Cluster
from hessbench.cluster.settings import ClusterConfig, SlurmConfig, load_cluster
from hessbench.cluster.workers import workers
from hessbench.errors import ConfigurationError, HessbenchError
from hessbench.system.processes import run_tasks
from hessbench.training.ensemble import train_ensembles
from tests.training.synthetic import MODEL, training_config
from tests.training.test_ensemble import DATA, SPLIT

TWO = Cluster(workers=2)


def work(task, shared, report):
    for part in range(3):
        report((task, part))
    return task * shared, os.getpid(), torch.get_num_threads(), str(Path.cwd())


def fail(task, shared, report):
    if task == 2:
        raise HessbenchError("task failed")
    time.sleep(0.1)


def killed_once(task, shared, report):
    report((task, 0))
    mark = Path(f"{task}.killed")
    if task in shared and not mark.exists():
        mark.touch()
        time.sleep(0.5)  # what was reported is on its way
        os.kill(os.getpid(), signal.SIGKILL)
    report((task, 1))
    return task


@pytest.mark.slow
def test_results_are_in_order_and_every_report_arrives_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    reports = []
    results = run_tasks(work, [3, 1, 2], 10, TWO, reports.append)
    assert [result[0] for result in results] == [30, 10, 20]
    assert os.getpid() not in {process for _, process, _, _ in results}
    assert {(threads, folder) for _, _, threads, folder in results} == {(1, str(tmp_path))}
    assert sorted(reports) == [(task, part) for task in (1, 2, 3) for part in range(3)]


def test_the_error_of_a_task_arrives():
    with pytest.raises(HessbenchError, match="task failed"):
        run_tasks(fail, [1, 2, 3], None, Cluster(workers=1), print)


@pytest.mark.slow
def test_a_task_whose_worker_is_killed_is_done_by_another_and_reported_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    reports = []
    assert run_tasks(killed_once, [1, 2, 3, 4], {1, 3}, TWO, reports.append) == [1, 2, 3, 4]
    assert sorted(reports) == [(task, part) for task in (1, 2, 3, 4) for part in (0, 1)]


@pytest.mark.slow
def test_twelve_models_of_a_cluster_whose_workers_are_killed_are_those_of_this_machine(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    wanted = [("e", 80), ("ef", 80), ("efh", 80), ("efh", 20)]
    config = training_config(seeds=3, processes=1, epochs=60)
    here = train_ensembles(DATA, SPLIT, wanted, MODEL, config, tmp_path / "here")
    (tmp_path / "params.yaml").write_text("cluster: {workers: 2}\n")
    killed = []

    def killer() -> None:
        """Twice, when another model is finished, one of the worker processes."""
        while len(killed) < 2:
            time.sleep(0.2)
            finished = len(list((tmp_path / "there").rglob("*.safetensors")))
            if finished > 3 * len(killed):
                children = worker_processes()
                if children:
                    os.kill(children[0], signal.SIGKILL)
                    killed.append(children[0])

    thread = threading.Thread(target=killer, daemon=True)
    thread.start()
    there = train_ensembles(DATA, SPLIT, wanted, MODEL, config, tmp_path / "there")
    assert len(killed) == 2
    for one, other in zip(here, there, strict=True):
        files = sorted(one.glob("*.safetensors"))
        assert len(files) == 3
        for file in files:
            assert file.read_bytes() == (other / file.name).read_bytes()


def worker_processes() -> list[int]:
    """Processes that Dask's nannies in this process started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
            line = (stat.parent / "cmdline").read_bytes()
        except OSError:
            continue
        if int(fields[1]) == os.getpid() and b"spawn_main" in line and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return sorted(found)


def test_the_section_of_params_decides_who_works(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert workers(3) == 3
    (tmp_path / "params.yaml").write_text("profile: ci\n")
    assert workers(3) == 3
    (tmp_path / "params.yaml").write_text("cluster: {scheduler: 'tcp://host:8786'}\n")
    assert workers(3) == Cluster(scheduler="tcp://host:8786")
    asked = "{jobs: 1, cores: 2, memory_gb: 4, walltime_minutes: 60, directives: ['--gres=gpu:1']}"
    (tmp_path / "params.yaml").write_text(f"cluster: {{slurm: {asked}}}\n")
    slurm = SlurmConfig(jobs=1, cores=2, memory_gb=4, walltime_minutes=60, directives=("--gres=gpu:1",))
    assert load_cluster() == ClusterConfig(slurm=slurm)
    for wrong in ("{}", "{workers: 1, scheduler: 'tcp://host:1'}"):
        (tmp_path / "params.yaml").write_text(f"cluster: {wrong}\n")
        with pytest.raises(ConfigurationError, match=r"cluster: .*state one of workers, scheduler and slurm"):
            workers(3)
