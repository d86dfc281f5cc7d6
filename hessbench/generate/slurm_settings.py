"""The section `slurm`: the jobs in which `hessbench generate --slurm FILE` works."""

from pydantic import Field, PositiveFloat, PositiveInt

from hessbench.config.base import Section


class SlurmConfig(Section):
    """What to ask SLURM for; the results do not depend on it, so it lives in a file of its own."""

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
        default=(), description="More options of sbatch, e.g. --constraint=x."
    )
    prologue: tuple[str, ...] = Field(
        default=(), description="Shell commands before the workers start, e.g. module load."
    )
