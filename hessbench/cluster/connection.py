"""Dask workers to connect to: on this machine, elsewhere, or in SLURM jobs."""

import asyncio
import logging
import shutil
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from distributed import Client, LocalCluster, Security
from distributed.comm import connect

from hessbench.cluster.settings import ClusterConfig, SlurmConfig
from hessbench.cluster.tasks import run_on
from hessbench.errors import HessbenchError
from hessbench.system.processes import Report

if TYPE_CHECKING:
    from dask_jobqueue import SLURMCluster

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""Environment of a worker: faster than threads that wait for each other, and the same bits every time."""
LEAVE_INTERRUPTS = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"
"""Ctrl-C reaches all processes of a terminal; this process ends the workers, quietly."""
CONNECTING = 10
"""Seconds until a scheduler that does not answer is given up."""
CHECK = 15.0
"""Seconds after which it is seen whether a SLURM job has lost all its workers."""
HAND_OVER = 5
"""Minutes before the end of a SLURM job in which its workers end, one after the other."""

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Cluster:
    """Dask workers to be connected to when there is work.

    Attributes
    ----------
    workers
        Processes to start on this machine, unless one of the following is given.
    scheduler
        Address of a scheduler that is running, e.g. tcp://host:8786; its workers are used.
    slurm
        Jobs to submit; their workers are used.
    """

    workers: int = 1
    scheduler: str | None = None
    slurm: SlurmConfig | None = None

    @classmethod
    def configured(cls, config: ClusterConfig) -> "Cluster":
        """Workers as a section `cluster` names them."""
        return cls(config.workers or 1, config.scheduler, config.slurm)

    def run(
        self, function: Callable[[T, Any, Report], R], tasks: Sequence[T], shared: Any, on_report: Report
    ) -> list[R]:
        """Call `function(task, shared, report)` for every task, see `hessbench.cluster.tasks.run_on`."""
        with self.connect() as client:
            return run_on(client, function, tasks, shared, on_report)

    @contextmanager
    def connect(self) -> Iterator[Client]:
        """Give a client of the cluster; what was started for it ends with the block.

        Raises
        ------
        HessbenchError
            The scheduler does not answer, or SLURM is not installed.
        """
        if self.scheduler is not None:
            _check(self.scheduler)
            with Client(self.scheduler, timeout=CONNECTING, set_as_default=False) as client:
                yield client
        elif self.slurm is not None:
            if shutil.which("sbatch") is None:
                raise HessbenchError(
                    "--slurm needs the command sbatch, which is not on the PATH of this machine."
                )
            with (
                slurm_cluster(self.slurm) as cluster,
                Client(cluster, set_as_default=False) as client,
                _keeping_jobs(cluster, self.slurm.jobs),
            ):
                yield client
        else:
            with (
                LocalCluster(
                    n_workers=self.workers,
                    threads_per_worker=1,
                    processes=True,
                    env={**ONE_THREAD, "DASK_LOGGING__DISTRIBUTED": "critical"},
                    preload=[LEAVE_INTERRUPTS],
                    memory_limit=0,  # Dask would pause workers by its guess of what each may take.
                    security=True,  # Nobody else on this machine can hand work to them.
                    dashboard_address="127.0.0.1:0",
                    silence_logs=logging.ERROR,
                ) as cluster,
                Client(cluster, set_as_default=False) as client,
            ):
                yield client


@contextmanager
def slurm_cluster(config: SlurmConfig) -> "Iterator[SLURMCluster]":
    """Start a scheduler in this process for workers in SLURM jobs; no job is submitted yet.

    What `SlurmConfig` does not say, e.g. the network interface, is taken from Dask's own configuration
    (jobqueue.slurm in ~/.config/dask).
    """
    interrupt = signal.getsignal(signal.SIGINT)
    from dask_jobqueue import SLURMCluster

    signal.signal(signal.SIGINT, interrupt)  # The import makes Ctrl-C end this process with status 0.
    lifetime = config.walltime_minutes - HAND_OVER
    with SLURMCluster(
        queue=config.queue,
        account=config.account,
        walltime=f"{config.walltime_minutes // 60:02d}:{config.walltime_minutes % 60:02d}:00",
        cores=config.cores,
        processes=config.cores,
        memory=f"{config.memory_gb:g} GB",
        job_name="hessbench",
        job_extra_directives=list(config.directives),
        job_script_prologue=[
            *config.prologue,
            *(f"export {key}={value}" for key, value in ONE_THREAD.items()),
        ],
        worker_extra_args=["--lifetime", f"{lifetime}m", "--lifetime-stagger", f"{HAND_OVER - 2}m"],
        scheduler_options={"dashboard_address": ":0"},
        security=True,
        shared_temp_directory=str(Path.home()),  # The jobs read the certificates that admit them from there.
    ) as cluster:
        yield cluster


@contextmanager
def _keeping_jobs(cluster: "SLURMCluster", number: int) -> Iterator[None]:
    """Submit jobs and, as long as the block lasts, others for those that ended.

    Dask's own adaptive scaling does not notice the end of a job with several workers. A job whose workers
    never came is left alone: it waits in the queue, or the next one would not fare better.
    """
    stop = threading.Event()

    def keep() -> None:
        came: set[str] = set()
        cluster.scale(jobs=number)
        while not stop.wait(CHECK):
            names = {str(worker["name"]) for worker in cluster.scheduler_info["workers"].values()}
            present = {job for job in cluster.worker_spec if any(_is_of(name, job) for name in names)}
            ended, came = came - present, present
            for job in ended:
                del cluster.worker_spec[job]
            # Those that ended are given up first: their names go to those that are submitted next time.
            cluster.scale(jobs=len(cluster.worker_spec) if ended else number)

    keeper = threading.Thread(target=keep, daemon=True)
    keeper.start()
    try:
        yield
    finally:
        stop.set()
        keeper.join()


def _is_of(worker: str, job: str) -> bool:
    """Tell whether a worker belongs to a job; several of a job have its name with a number."""
    return worker == job or worker.startswith(f"{job}-")


def _check(scheduler: str) -> None:
    """Find out whether anything that speaks Dask's protocol answers at an address."""

    async def greet() -> None:
        arguments = Security().get_connection_args("client")
        comm = await connect(scheduler, timeout=CONNECTING, **arguments)
        await comm.close()

    try:
        asyncio.run(greet())
    except (
        OSError,
        TypeError,  # tls:// without certificates
        ValueError,
        MemoryError,  # another protocol read as a huge message
    ) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise HessbenchError(
            f"No Dask scheduler answers at {scheduler!r} ({reason}); start one with `dask scheduler` "
            "and its workers with `dask worker ADDRESS --nthreads 1`."
        ) from None
