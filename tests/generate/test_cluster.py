import gc
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner
from distributed import LocalCluster

from hessbench.cli import main
from hessbench.cli.generate import command
from hessbench.cluster import connection as module
from hessbench.cluster.connection import Cluster, slurm_cluster
from hessbench.cluster.settings import SlurmConfig
from hessbench.config.base import load_section
from hessbench.errors import ConfigurationError, HessbenchError
from hessbench.generate.datasets import make_rtp
from hessbench.generate.runner import run
from hessbench.system.journal import Journal
from tests.generate.conftest import inversion
from tests.generate.test_datasets import finished
from tests.generate.test_runner import Task, slow

SLURM = SlurmConfig(
    jobs=3,
    cores=4,
    memory_gb=6,
    walltime_minutes=90,
    queue="short",
    account="chem",
    directives=("--constraint=avx2", "--gres=gpu:1"),
    prologue=("module load python",),
)


@pytest.fixture
def jobqueue_files_closed() -> Iterator[None]:
    """Collect a SLURM cluster as soon as its test ends.

    Its certificates lie in files that go when it is collected. Where a forked child collected it too, that
    fails; pytest then formats the traceback, and CPython 3.11 does not stand that in the middle of another
    ast.parse ("AST constructor recursion depth mismatch", CPython issue 106905).
    """
    yield
    gc.collect()


def free_address() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{free.getsockname()[1]}"


def wait_for(port: int) -> None:
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail("the scheduler does not start")


def has_ended(group: int) -> bool:
    for _ in range(100):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


def start(*arguments: str) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-m", *arguments], stderr=subprocess.DEVNULL)


@contextmanager
def processes(workers: int):
    """Start a scheduler and workers without nannies; give its address and the processes."""
    address = free_address()
    port = address.rpartition(":")[2]
    started = [
        start("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard")
    ]
    options = ["--no-nanny", "--nthreads", "1", "--no-dashboard"]
    started += [start("distributed.cli.dask_worker", address, *options) for _ in range(workers)]
    try:
        wait_for(int(port))
        yield address, started
    finally:
        for process in started:
            process.kill()
            process.wait()


@pytest.fixture
def one_thread(monkeypatch):
    for key, value in module.ONE_THREAD.items():
        monkeypatch.setenv(key, value)


def test_workers_of_this_machine_are_processes_with_one_thread():
    with Cluster(workers=1).connect() as client:
        environment = client.run(
            lambda: (os.getpid(), {key: os.environ.get(key) for key in module.ONE_THREAD})
        )
        ((process, threads),) = environment.values()
        assert process != os.getpid()
        assert threads == module.ONE_THREAD
        assert list(client.nthreads().values()) == [1]


def test_a_scheduler_that_does_not_answer_is_one_sentence(tmp_path, geometries_npz, monkeypatch, capsys):
    monkeypatch.setattr(module, "CONNECTING", 0.3)
    source, output = geometries_npz([inversion()]), tmp_path / "rtp.h5"
    for address in (free_address(), "nonsense", "ftp://host:1"):
        with pytest.raises(
            HessbenchError, match=f"No Dask scheduler answers at '{address}' .*start one with"
        ):
            Cluster(scheduler=address).connect().__enter__()
    with pytest.raises(SystemExit) as ended:
        main(["generate", "rtp", str(source), "--output", str(output), "--scheduler", "nonsense"])
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("hessbench: No Dask scheduler answers at 'nonsense' (missing port number")


def test_another_service_is_no_scheduler(monkeypatch):
    monkeypatch.setattr(module, "CONNECTING", 1)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            connection.close()

        threading.Thread(target=answer, daemon=True).start()
        with pytest.raises(HessbenchError, match="No Dask scheduler answers"):
            Cluster(scheduler=f"tcp://127.0.0.1:{server.getsockname()[1]}").connect().__enter__()


def test_places_to_work_exclude_each_other(tmp_path):
    arguments = [
        "rtp",
        "x.npz",
        "--output",
        str(tmp_path / "x.h5"),
        "--workers",
        "2",
        "--scheduler",
        "tcp://x:1",
    ]
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 2
    assert "--workers, --scheduler and --slurm exclude each other." in result.output


def test_workers_with_several_threads_are_refused(tmp_path):
    with (
        LocalCluster(
            n_workers=1, threads_per_worker=2, processes=False, dashboard_address="127.0.0.1:0"
        ) as crowded,
        Journal(tmp_path / "journal", {}) as journal,
        pytest.raises(HessbenchError, match="has 2 threads; start workers with one each"),
    ):
        run(
            slow,
            ["01"],
            lambda name: Task(name, tmp_path / "log"),
            journal,
            Cluster(scheduler=crowded.scheduler_address),
            "x",
        )


@pytest.mark.usefixtures("jobqueue_files_closed")
def test_slurm_job_script():
    before = signal.getsignal(signal.SIGINT)
    with slurm_cluster(SLURM) as cluster:
        assert signal.getsignal(signal.SIGINT) is before
        lines = cluster.job_script().splitlines()
        directives = {line.removeprefix("#SBATCH ") for line in lines if line.startswith("#SBATCH")}
        assert directives == {
            "-J hessbench", "-p short", "-A chem", "-n 1", "--cpus-per-task=4", "--mem=6G", "-t 01:30:00",
            "--constraint=avx2", "--gres=gpu:1",
        }  # fmt: skip
        shell = [line for line in lines if line and not line.startswith("#")]
        assert shell[0] == "module load python"
        assert set(shell[1:4]) == {f"export {key}=1" for key in module.ONE_THREAD}
        (worker,) = shell[4:]
        assert f"dask_worker {cluster.scheduler_address} " in worker
        for option in ("--nthreads 1", "--nworkers 4", "--nanny", "--lifetime 85m", "--lifetime-stagger 3m"):
            assert f" {option} " in worker
        certificate = Path(worker.split("--tls-key ")[1].split()[0])
        assert stat.S_IMODE(certificate.stat().st_mode) == 0o600
    assert cluster.scheduler_address.startswith("tls://")


def test_slurm_settings_are_checked(tmp_path, monkeypatch):
    path = tmp_path / "slurm.yaml"
    path.write_text("slurm: {jobs: 2, cores: 4, walltime_minutes: 5, memory: 6}\n")
    with pytest.raises(ConfigurationError) as raised:
        load_section(SlurmConfig, "slurm", path)
    for expected in ("memory_gb: missing", "slurm.memory: unknown key", "walltime_minutes: Input should be"):
        assert expected in str(raised.value)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(HessbenchError, match="--slurm needs the command sbatch"):
        Cluster(slurm=SLURM).connect().__enter__()


@pytest.mark.slow
def test_a_scheduler_without_hessbench_is_told(tmp_path):
    address = free_address()
    port = address.rpartition(":")[2]
    text = (
        "import sys; sys.modules['hessbench'] = sys.modules['tests'] = None\n"
        "from distributed.cli.dask_scheduler import main\n"
        f"main(['--host', '127.0.0.1', '--port', '{port}', '--no-dashboard'])"
    )
    with (
        subprocess.Popen([sys.executable, "-c", text], stderr=subprocess.DEVNULL) as scheduler,
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "distributed.cli.dask_worker",
                address,
                "--nthreads",
                "1",
                "--no-dashboard",
            ],
            stderr=subprocess.DEVNULL,
        ) as worker,
        Journal(tmp_path / "journal", {}) as journal,
    ):
        try:
            wait_for(int(port))
            with pytest.raises(HessbenchError, match=r"cannot import (hessbench|tests)\S*; install"):
                run(slow, ["01"], lambda name: Task(name, tmp_path), journal, Cluster(scheduler=address), "x")
        finally:
            worker.terminate()
            scheduler.kill()


@pytest.mark.slow
@pytest.mark.usefixtures("jobqueue_files_closed")
def test_a_slurm_job_that_ends_is_replaced(tmp_path, monkeypatch):
    # SLURM itself cannot be had here: these run the job script on this machine.
    programs = {
        "sbatch": f"cd {tmp_path}; cp $1 $$.sh; setsid bash $$.sh > $$.log 2>&1 < /dev/null &\n"
        f'echo $! >> {tmp_path}/submitted; echo "Submitted batch job $!"',
        "scancel": "kill -KILL -- -$1",
    }
    for name, text in programs.items():
        program = tmp_path / name
        program.write_text(f"#!/usr/bin/env bash\n{text}\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))
    monkeypatch.setattr(module, "CHECK", 1.0)
    submitted, log = tmp_path / "submitted", tmp_path / "log"
    names = [f"{index:02d}" for index in range(40)]

    def kill() -> None:
        while not log.exists():
            time.sleep(0.01)
        time.sleep(1)
        os.killpg(int(submitted.read_text()), signal.SIGKILL)

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    config = SlurmConfig(jobs=1, cores=2, memory_gb=4, walltime_minutes=60)
    with Journal(tmp_path / "journal", {}) as journal:
        assert run(slow, names, lambda name: Task(name, log), journal, Cluster(slurm=config), "slow") == []
        assert journal.names() == set(names)
    killer.join()
    jobs = [int(line) for line in submitted.read_text().split()]
    assert len(jobs) == 2
    assert all(has_ended(job) for job in jobs)


def test_a_lost_scheduler_is_told_and_the_run_goes_on_elsewhere(tmp_path, one_thread, cluster):
    log = tmp_path / "log"
    names = [f"{index:02d}" for index in range(12)]
    with (
        processes(1) as (address, (scheduler, *_)),
        Journal(tmp_path / "journal", {}) as journal,
    ):

        def kill() -> None:
            while not log.exists():
                time.sleep(0.01)
            time.sleep(0.5)
            scheduler.kill()

        threading.Thread(target=kill, daemon=True).start()
        with pytest.raises(HessbenchError, match="The Dask scheduler was lost; run the same command again"):
            run(slow, names, lambda name: Task(name, log), journal, Cluster(scheduler=address), "slow")
        assert 0 < len(journal.names()) < 12
        assert run(slow, names, lambda name: Task(name, log), journal, cluster, "slow") == []
        assert journal.names() == set(names)


@pytest.mark.slow
def test_ctrl_c_ends_a_run_without_a_traceback(tmp_path, geometries_npz):
    source = geometries_npz([inversion(f"rxn{seed:06d}", seed) for seed in range(400)])
    output = tmp_path / "rtp.h5"
    # Whoever runs the tests in the background may ignore the signal, and that is inherited.
    code = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    code += "; from hessbench.cli import main; main()"
    line = [sys.executable, "-c", code, "generate", "rtp", str(source)]
    line += ["--output", str(output), "--workers", "1"]
    with subprocess.Popen(line, start_new_session=True, stderr=subprocess.PIPE, text=True) as process:
        journal = tmp_path / "rtp.h5.journal"
        while finished(journal) < 2:
            assert process.poll() is None
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert errors.splitlines()[-1] == "Aborted!"
    assert "Traceback" not in errors
    assert 2 <= finished(journal) < 400
    assert not output.exists()


@pytest.mark.slow
def test_same_file_from_one_worker_and_from_a_scheduler_that_loses_one_of_two(
    tmp_path, geometries_npz, config, one_thread
):
    source = geometries_npz([inversion(f"rxn{seed:06d}", seed) for seed in range(24)])
    outputs = [tmp_path / "one.h5", tmp_path / "lost.h5"]
    make_rtp(source, outputs[0], None, Cluster(workers=1), config)
    with processes(2) as (address, (_, first, second)):

        def kill() -> None:
            while finished(tmp_path / "lost.h5.journal") < 4:
                time.sleep(0.01)
            first.send_signal(signal.SIGKILL)

        killer = threading.Thread(target=kill, daemon=True)
        killer.start()
        summary = make_rtp(source, outputs[1], None, Cluster(scheduler=address), config)
        killer.join()
        assert first.poll() == -signal.SIGKILL
        assert second.poll() is None
    assert "of 24 reactions; 0 failures" in summary
    assert outputs[1].read_bytes() == outputs[0].read_bytes()
