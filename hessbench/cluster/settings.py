"""Where work is done: the section `cluster` of a profile. No result depends on it."""

from pathlib import Path
from typing import Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from hessbench.config.base import PARAMS, Section, load_section, read_yaml

SECTION = "cluster"


class SlurmConfig(Section):
    """What to ask SLURM for."""

    jobs: PositiveInt = Field(
        description="Jobs kept running; one that ends before the work does is replaced."
    )
    cores: PositiveInt = Field(description="Cores of a job, each with one worker process.")
    memory_gb: PositiveFloat = Field(description="Memory of a job, GB; a worker process needs about 1.")
    walltime_minutes: int = Field(
        ge=10, description="Longest duration of a job, minutes; its workers hand over some minutes before."
    )
    queue: str | None = Field(default=None, description="Partition; SLURM's default if not given.")
    account: str | None = Field(default=None, description="Whom to charge.")
    directives: tuple[str, ...] = Field(
        default=(), description="More options of sbatch, e.g. --constraint=x, --gres=gpu:1."
    )
    prologue: tuple[str, ...] = Field(
        default=(), description="Shell commands before the workers start, e.g. module load."
    )


class ClusterConfig(Section):
    """Dask workers; exactly one of the three says which."""

    workers: PositiveInt | None = Field(None, description="Processes on this machine.")
    scheduler: str | None = Field(
        None, description="Address of a scheduler that is running, e.g. tcp://host:8786."
    )
    slurm: SlurmConfig | None = Field(None, description="Jobs to submit.")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(item is not None for item in (self.workers, self.scheduler, self.slurm)) != 1:
            raise ValueError("state one of workers, scheduler and slurm")
        return self


def load_cluster(path: Path = PARAMS) -> ClusterConfig | None:
    """Read the section `cluster` of a file of settings; None if the file has none, or does not exist.

    Raises
    ------
    ConfigurationError
        The section is wrong.
    """
    if not path.exists() or read_yaml(path).get(SECTION) is None:
        return None
    return load_section(ClusterConfig, SECTION, path)
