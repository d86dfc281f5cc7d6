"""`hessbench generate`: data sets from reaction geometries, at a level of theory."""

import os

# One thread a worker process, set before a numerical library is loaded: faster, and the same bits every time.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"

from pathlib import Path  # noqa: E402

import click  # noqa: E402

from hessbench.config.base import load_section  # noqa: E402
from hessbench.config.generate import GenerateConfig  # noqa: E402


@click.group()
def command() -> None:
    """Make data sets from reaction geometries; every command can be interrupted and started again."""


def _settings(params: Path | None) -> GenerateConfig:
    return load_section(GenerateConfig, "generate", params) if params else GenerateConfig()


@command.command()
@click.argument("source", type=click.Path(path_type=Path))
@click.argument("output", type=click.Path(path_type=Path))
@click.option(
    "--workers", type=click.IntRange(1), default=os.cpu_count, help="Processes; all cores by default."
)
@click.option("--params", type=click.Path(path_type=Path), help="Read the section `generate` from this file.")
def refine(source: Path, output: Path, workers: int, params: Path | None) -> None:
    """Refine the reactant, TS and product geometries in SOURCE (npz) and write them to OUTPUT."""
    from hessbench.generate.geometries import read_npz, shuffled
    from hessbench.generate.refine import RefineTask, refine_reaction
    from hessbench.generate.runner import Journal, run

    settings = _settings(params)
    reactions = {reaction.name: reaction for reaction in read_npz(source)}
    tasks = [
        RefineTask(reactions[name], settings.level, settings.fmax_ev)
        for name in shuffled(reactions, settings.seed)
    ]
    content = {"command": "refine", "level": settings.level, "fmax_ev": settings.fmax_ev}
    with Journal(output.with_name(output.name + ".journal"), content) as journal:
        run(refine_reaction, tasks, journal, workers, "refine")
