"""`hessbench generate`: data sets from reaction geometries, at a level of theory."""

import os

# One thread a worker process, set before a numerical library is loaded: faster, and the same bits every time.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"

import logging  # noqa: E402
from collections.abc import Callable  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import click  # noqa: E402

from hessbench.cluster.settings import SlurmConfig, load_cluster  # noqa: E402
from hessbench.config.base import load_section  # noqa: E402
from hessbench.embedded import EMBEDDED  # noqa: E402
from hessbench.generate.settings import GenerateConfig  # noqa: E402
from hessbench.system.alone import alone  # noqa: E402

GENERATED = Path("data/generated")


@click.group()
def command() -> None:
    """Make data sets from reaction geometries.

    A run that was interrupted goes on where it stopped when the same command is given again. What fails is
    listed with its reason in OUTPUT-failures.csv.
    """


def _common(output: Path | None) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Options that every command takes."""
    options = [
        click.option(
            "--output",
            type=click.Path(path_type=Path),
            required=output is None,
            default=output,
            show_default=True,
            help="File to write.",
        ),
        click.option(
            "--workers",
            type=click.IntRange(1),
            help="Worker processes on this machine.  [default: all cores]",
        ),
        click.option(
            "--scheduler",
            metavar="ADDRESS",
            help="Use the workers of the Dask scheduler that runs there instead.",
        ),
        click.option(
            "--slurm",
            metavar="FILE",
            type=click.Path(path_type=Path),
            help="Use workers in SLURM jobs as the section `slurm` of this YAML file asks for instead.",
        ),
        click.option(
            "--params",
            type=click.Path(path_type=Path),
            help="Take the section `generate` of this YAML file, and `cluster` if it has one.",
        ),
    ]

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        for option in options:
            function = option(function)
        return function

    return decorate


def _source(default: Path | None) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return click.argument(
        "source", type=click.Path(path_type=Path), default=default, required=default is None
    )


_reactions = click.option(
    "--reactions", type=click.IntRange(1), help="How many to treat, chosen by the seed; all if not given."
)


def _config(params: Path | None) -> GenerateConfig:
    return load_section(GenerateConfig, "generate", params) if params else GenerateConfig()


def _run(make: Callable[..., str], arguments: dict[str, Any]) -> None:
    """Call a function of `hessbench.generate.datasets` with what the options mean."""
    from hessbench.cluster.connection import Cluster

    for name in ("distributed", "distributed.client", "tornado", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what matters is said in a sentence
    workers, scheduler, slurm = (arguments.pop(key) for key in ("workers", "scheduler", "slurm"))
    if sum(item is not None for item in (workers, scheduler, slurm)) > 1:
        raise click.UsageError("--workers, --scheduler and --slurm exclude each other.")
    params = arguments.pop("params")
    section = load_cluster(params) if params else None
    if section is not None and not (workers or scheduler or slurm):
        cluster = Cluster.configured(section)
    else:
        cluster = Cluster(
            workers=workers or os.cpu_count() or 1,
            scheduler=scheduler,
            slurm=load_section(SlurmConfig, "slurm", slurm) if slurm else None,
        )
    with alone(_lock(arguments["output"])):
        click.echo(make(config=_config(params), cluster=cluster, **arguments))


def _lock(output: Path) -> Path:
    """Stand for what a command writes: the file, its journal and its list of failures."""
    return output.with_name(output.name + ".lock")


@command.command()
@_source(None)
@_common(None)
def refine(**arguments: Any) -> None:
    """Refine the reactants, transition states and products in SOURCE."""
    from hessbench.generate.datasets import make_geometries

    _run(make_geometries, arguments)


@command.command()
@_source(EMBEDDED / "geometries.h5")
@_common(GENERATED / "rtp.h5")
@_reactions
def rtp(**arguments: Any) -> None:
    """Label stationary points, starting from the geometries in SOURCE [the embedded ones]."""
    from hessbench.generate.datasets import make_rtp

    _run(make_rtp, arguments)


@command.command()
@_source(GENERATED / "rtp.h5")
@_common(GENERATED / "irc.h5")
@_reactions
def irc(**arguments: Any) -> None:
    """Follow and label reaction paths from the transition states in SOURCE [data/generated/rtp.h5]."""
    from hessbench.generate.datasets import make_irc

    _run(make_irc, arguments)


@command.command()
@_source(GENERATED / "irc.h5")
@_common(GENERATED / "nms.h5")
@_reactions
def nms(**arguments: Any) -> None:
    """Displace and label the structures of the paths in SOURCE [data/generated/irc.h5]."""
    from hessbench.generate.datasets import make_nms

    _run(make_nms, arguments)


@command.command(name="single-ts")
@click.argument("source", type=click.Path(path_type=Path), default=EMBEDDED / "single-ts-geometries.extxyz")
@click.option(
    "--output", type=click.Path(path_type=Path), default=GENERATED / "single-ts.h5", show_default=True
)
@click.option(
    "--threads", type=click.IntRange(1), default=1, show_default=True, help="Of the level of theory."
)
@click.option(
    "--params", type=click.Path(path_type=Path), help="Take the section `generate` of this YAML file."
)
def single_ts(source: Path, output: Path, threads: int, params: Path | None) -> None:
    """Refine R, TS and P in SOURCE where they need it, follow the path between them and label it."""
    os.environ["OMP_NUM_THREADS"] = str(threads)  # before a numerical library is loaded
    from hessbench.generate.single_ts import make_single_ts

    with alone(_lock(output)):
        click.echo(make_single_ts(source, output, _config(params)))


@command.command()
@click.option(
    "--output", type=click.Path(path_type=Path), default=GENERATED / "md17.extxyz", show_default=True
)
@click.option(
    "--params", type=click.Path(path_type=Path), help="Take the section `generate` of this YAML file."
)
def md17(output: Path, params: Path | None) -> None:
    """Make minima of the ten MD17 molecules from their SMILES."""
    from hessbench.generate.md17 import make_md17

    with alone(_lock(output)):
        click.echo(make_md17(output, _config(params)))
